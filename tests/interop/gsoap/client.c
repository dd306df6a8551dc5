/* Uses demo.Catalog with what gSOAP's wsdl2h and soapcpp2 made of its WSDL: client URL. A line for each check, and in
 * the end "N of M checks". xs:decimal is a text to it, xs:dateTime whole seconds. */

#include "CatalogSoap.nsmap"
#include "soapH.h"

#include <stdio.h>
#include <string.h>

static int passed, total;

static void check(const char *name, int good) {
    total++;
    passed += good != 0;
    printf("%s %s%s\n", good ? "ok" : "FAIL", name, good ? "" : ": not as expected");
}

static int found(struct soap *soap, const char *url, LONG64 id, struct ns1__Product **product) {
    struct _ns1__find ask = {id};
    struct _ns1__findResponse answer;
    int error = soap_call___ns1__find(soap, url, NULL, &ask, &answer);
    *product = error ? NULL : answer.return_;
    return error;
}

static int searched(struct soap *soap, const char *url, char *text, int *limit, struct ns1__SetOfString *tags) {
    struct _ns1__search ask = {text, limit, tags};
    struct _ns1__searchResponse answer;
    return soap_call___ns1__search(soap, url, NULL, &ask, &answer) ? -1 : answer.__sizereturn_;
}

int main(int count, char **arguments) {
    if (count != 2)
        return 2;
    const char *url = arguments[1];
    struct soap *soap = soap_new1(SOAP_C_UTFSTRING);
    struct ns1__Product *lamp, *wall;

    check("find", found(soap, url, 1, &lamp) == SOAP_OK && lamp != NULL);
    if (lamp != NULL) {
        check("a text", strcmp(lamp->name, "Desk lamp") == 0);
        check("a decimal", strcmp(lamp->price, "49.90") == 0);
        check("an instant", lamp->created_USCOREat == 1767342600);
        check("an enum", lamp->status != NULL && *lamp->status == ns1__Status__ACTIVE);
        check("a list", lamp->__sizetags == 2 && strcmp(lamp->tags[1], "office") == 0);
        check("a map", lamp->stock->__sizeentry == 2 && lamp->stock->entry[0].value == 12);
        check("structs in structs", strcmp(lamp->maker->parent->country, "SE") == 0);
    }
    check("find another", found(soap, url, 3, &wall) == SOAP_OK && wall != NULL);
    if (wall != NULL) {
        check("text beyond ASCII", strcmp(wall->name, "Wandleuchte \u201eGr\u00fcn\u201c \U0001f33f") == 0);
        check("null", wall->maker == NULL && wall->updated_USCOREat == NULL);
    }

    check("a declared exception", found(soap, url, -5, &wall) == SOAP_FAULT);
    check("its text", strcmp(*soap_faultstring(soap), "no product -5") == 0);
    struct SOAP_ENV__Detail *detail = soap->fault == NULL ? NULL : soap->fault->detail;
    struct ns1__ProductNotFound *missing = detail == NULL ? NULL : detail->ns1__ProductNotFound;
    check("its fields", missing != NULL && missing->product_USCOREid == -5);

    int one = 1;
    char *light = "light";
    struct ns1__SetOfString tags = {1, &light};
    check("search by defaults", searched(soap, url, "desk", NULL, NULL) == 2);
    check("search with a limit", searched(soap, url, "desk", &one, NULL) == 1);
    check("search with a set", searched(soap, url, "", NULL, &tags) == 1);
    check("search finds nothing", searched(soap, url, "no such thing", NULL, NULL) == 0);

    struct _ns1__touch touch = {1};
    check("oneway",
          soap_send___ns1__touch(soap, url, NULL, &touch) == SOAP_OK && soap_recv_empty_response(soap) == SOAP_OK);
    struct _ns1__remove remove_nothing = {-5};
    struct _ns1__removeResponse removed;
    check("remove nothing",
          soap_call___ns1__remove(soap, url, NULL, &remove_nothing, &removed) == SOAP_OK
              && removed.return_ == xsd__boolean__false_);

    printf("%d of %d checks\n", passed, total);
    soap_end(soap);
    soap_free(soap);
    return 0;
}
