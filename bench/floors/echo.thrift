// What both servers of thriftpy2 offer; the field's number is the one the request has.
service Echo {
  string echo(1: string text)
}
