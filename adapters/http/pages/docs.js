"use strict";

// Relative, so that the page also works where all of this is mounted under a prefix.
window.ui = SwaggerUIBundle({
  url: "../openapi.json",
  dom_id: "#services",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  // A description is never sent to anybody else.
  validatorUrl: null,
});
