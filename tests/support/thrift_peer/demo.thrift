// What a user of Thrift writes to speak with demo.Catalog and demo.Types, by the rules of docs/thrift.md.

enum Status { ACTIVE, PREORDER, DISCONTINUED }

struct Maker {
  1: required string name,
  2: optional string country,
  3: optional Maker parent,
}

struct Product {
  1: required i64 id,
  2: required string name,
  3: required string price,
  4: required list<string> tags,
  5: required i64 created_at,
  6: optional i64 updated_at,
  7: optional map<string, i32> stock,
  8: optional Status status,
  9: optional Maker maker,
}

struct Point { 1: required i32 x, 2: required i32 y }

exception ProductNotFound { 1: optional string message, 2: required i64 product_id }
exception OutOfStock { 1: optional string message, 2: required string warehouse, 3: required i32 missing }
exception TypesFailure { 1: optional string message, 2: required i32 code, 3: optional Maker culprit }

service Catalog {
  Product find(1: i64 product_id) throws (1: ProductNotFound error),
  Product find_by_name(1: string name) throws (1: ProductNotFound error),
  list<Product> search(1: string text, 2: i32 limit, 3: set<string> tags),
  i64 put(1: Product product),
  bool remove(1: i64 product_id),
  map<string, string> price_history(1: i64 product_id) throws (1: ProductNotFound error),
  i32 reserve(1: i64 product_id, 2: string warehouse, 3: i32 quantity)
    throws (1: ProductNotFound error1, 2: OutOfStock error2),
  string slow(1: i64 millis),
  i64 count(),
  oneway void touch(1: i64 product_id),
}

service Types {
  bool echo_bool(1: bool value),
  i8 echo_i8(1: i8 value),
  i16 echo_i16(1: i16 value),
  i32 echo_i32(1: i32 value),
  i64 echo_i64(1: i64 value),
  double echo_f64(1: double value),
  double echo_f32(1: double value),
  string echo_bigint(1: string value),
  string echo_decimal(1: string value),
  string echo_char(1: string value),
  string echo_string(1: string value),
  binary echo_bytes(1: binary value),
  string echo_date(1: string value),
  string echo_time(1: string value),
  i64 echo_datetime(1: i64 value),
  string echo_local_datetime(1: string value),
  string echo_duration(1: string value),
  string echo_uuid(1: string value),
  list<i32> echo_int_list(1: list<i32> value),
  list<list<string>> echo_nested_list(1: list<list<string>> value),
  set<i64> echo_long_set(1: set<i64> value),
  map<i32, string> echo_int_map(1: map<i32, string> value),
  map<Status, string> echo_enum_map(1: map<Status, string> value),
  map<string, list<Maker>> echo_nested_map(1: map<string, list<Maker>> value),
  Status echo_enum(1: Status value),
  Maker echo_struct(1: Maker value),
  string echo_any(1: string value),
  void echo_nothing(),
  string echo_nullable(1: string value),
  string fail_declared(1: string message) throws (1: TypesFailure error),
  string fail_undeclared(1: string message),
}
