"""Where a call goes: the table of a listener, local services, and providers elsewhere."""
