//! A client of Apache Thrift for Rust: calls both services of the demo in each encoding and transport.
//!
//!     peer call PORT
//!
//! Prints a line for each check, "ok <name>" or "FAIL <name>: why", and how many passed.

#[allow(warnings)]
mod demo;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::net::TcpStream;
use std::time::Duration;

use demo::{
    CatalogSyncClient, Everything, Maker, Point, Product, Status, TCatalogSyncClient, TTypesSyncClient, TypesSyncClient,
};
use thrift::OrderedFloat;
use thrift::protocol::{
    TBinaryInputProtocol, TBinaryOutputProtocol, TCompactInputProtocol, TCompactOutputProtocol, TInputProtocol,
    TMultiplexedOutputProtocol, TOutputProtocol,
};
use thrift::transport::{
    TBufferedReadTransport, TBufferedWriteTransport, TFramedReadTransport, TFramedWriteTransport, TIoChannel,
    TReadTransport, TTcpChannel, TWriteTransport,
};
use thrift::{ApplicationErrorKind, Error};

const OPENING: i64 = 1_767_342_600_000_000;
const DAY: i64 = 86_400_000_000;
const PATIENCE: Duration = Duration::from_secs(10);

type Input = Box<dyn TInputProtocol>;
type Output = Box<dyn TOutputProtocol>;

#[derive(Default)]
struct Checks {
    passed: usize,
    total: usize,
}

impl Checks {
    fn same<T: PartialEq + Debug>(&mut self, name: &str, expected: T, found: thrift::Result<T>) {
        self.total += 1;
        match found {
            Ok(value) if value == expected => {
                self.passed += 1;
                println!("ok {name}");
            }
            other => println!("FAIL {name}: expected {expected:?}, got {other:?}"),
        }
    }

    fn holds(&mut self, name: &str, found: bool, what: impl Debug) {
        self.same(name, true, if found { Ok(true) } else { Err(Error::from(format!("{what:?}").as_str())) });
    }
}

/// A connection in one encoding and transport. `service`: what multiplexed calls name; empty for plain ones.
fn connect(port: u16, compact: bool, framed: bool, service: &str) -> (Input, Output) {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("takes a timeout");
    stream.set_nodelay(true).expect("takes an option");
    let (reading, writing) = TTcpChannel::with_stream(stream).split().expect("can be split");
    let input: Box<dyn TReadTransport + Send> =
        if framed { Box::new(TFramedReadTransport::new(reading)) } else { Box::new(TBufferedReadTransport::new(reading)) };
    let output: Box<dyn TWriteTransport + Send> = if framed {
        Box::new(TFramedWriteTransport::new(writing))
    } else {
        Box::new(TBufferedWriteTransport::new(writing))
    };
    let (input, output): (Input, Output) = if compact {
        (Box::new(TCompactInputProtocol::new(input)), Box::new(TCompactOutputProtocol::new(output)))
    } else {
        (Box::new(TBinaryInputProtocol::new(input, true)), Box::new(TBinaryOutputProtocol::new(output, true)))
    };
    if service.is_empty() {
        (input, output)
    } else {
        (input, Box::new(TMultiplexedOutputProtocol::new(service, output)))
    }
}

fn catalog(checks: &mut Checks, name: &str, (input, output): (Input, Output)) {
    let mut catalog = CatalogSyncClient::new(input, output);
    let group = Maker::new("Northwind Group".to_string(), "SE".to_string(), None::<Box<Maker>>);
    let lumen = Maker::new("Lumen".to_string(), "DE".to_string(), Box::new(group));
    let stock = BTreeMap::from([("berlin".to_string(), 12), ("oslo".to_string(), 0)]);
    let tags = vec!["light".to_string(), "office".to_string()];
    let updated = OPENING + 30 * DAY + 250_000;
    let lamp = Product::new(1, "Desk lamp".into(), "49.90".into(), tags, OPENING, updated, stock, Status::ACTIVE, lumen);
    checks.same(&format!("{name} find"), lamp.clone(), catalog.find(1));
    checks.same(&format!("{name} find by name"), lamp, catalog.find_by_name("Desk lamp".into()));
    let plain = catalog.find(3).map(|each| (each.name, each.price, each.updated_at, each.maker, each.status));
    let expected = ("Wandleuchte „Grün“ 🌿".to_string(), "19.5".to_string(), None, None, Some(Status::DISCONTINUED));
    checks.same(&format!("{name} absent fields"), expected, plain);
    let office = BTreeSet::from(["office".to_string()]);
    let found = catalog.search("".into(), 1, office).map(|found| found.iter().map(|each| each.id).collect::<Vec<_>>());
    checks.same(&format!("{name} search with a set"), vec![1], found);
    let prices = BTreeMap::from([
        ("2025-10-04".to_string(), "54.90".to_string()),
        ("2026-01-02".to_string(), "49.90".to_string()),
    ]);
    checks.same(&format!("{name} a map"), prices, catalog.price_history(1));
    let new = Product::new(
        0, "n".into(), "1.0".into(), vec!["t".into()], OPENING, None, BTreeMap::new(), Status::PREORDER, None::<Maker>,
    );
    let id = catalog.put(new);
    checks.holds(&format!("{name} put"), matches!(id, Ok(each) if each > 3), &id);
    let id = id.unwrap_or_default();
    checks.same(&format!("{name} oneway"), (), catalog.touch(id));
    checks.same(&format!("{name} what oneway did"), true, catalog.find(id).map(|each| each.updated_at.is_some()));
    checks.same(&format!("{name} remove"), true, catalog.remove(id));
    checks.same(&format!("{name} remove nothing"), false, catalog.remove(id));
    checks.same(&format!("{name} slow"), "slept 5 ms".to_string(), catalog.slow(5));
    let missing = catalog.find(99);
    let declared = match &missing {
        Err(Error::User(error)) => error
            .downcast_ref::<demo::ProductNotFound>()
            .is_some_and(|each| each.message.as_deref() == Some("no product 99") && each.product_id == 99),
        _ => false,
    };
    checks.holds(&format!("{name} a declared exception"), declared, &missing);
    let short = catalog.reserve(1, "oslo".into(), 5);
    let declared = match &short {
        Err(Error::User(error)) => error
            .downcast_ref::<demo::OutOfStock>()
            .is_some_and(|each| each.warehouse == "oslo" && each.missing == 5),
        _ => false,
    };
    checks.holds(&format!("{name} the second one"), declared, &short);
    checks.same(&format!("{name} the connection stays"), 3, catalog.count());
}

fn types(checks: &mut Checks, name: &str, (input, output): (Input, Output)) {
    let mut types = TypesSyncClient::new(input, output);
    for value in [i64::MIN, -1, 0, i64::MAX] {
        checks.same(&format!("{name} i64 {value}"), value, types.echo_i64(value));
    }
    for value in [i8::MIN, 0, i8::MAX] {
        checks.same(&format!("{name} i8 {value}"), value, types.echo_i8(value));
    }
    for value in [-0.0, 0.1, f64::MAX, f64::NEG_INFINITY] {
        let found = types.echo_f64(OrderedFloat(value)).map(|each| each.to_bits());
        checks.same(&format!("{name} f64 {value}"), value.to_bits(), found);
    }
    let nan = types.echo_f64(OrderedFloat(f64::NAN)).map(|each| each.is_nan());
    checks.same(&format!("{name} f64 NaN"), true, nan);
    checks.same(&format!("{name} bool"), true, types.echo_bool(true));
    let bytes: Vec<u8> = (0..=255).collect();
    checks.same(&format!("{name} bytes"), bytes.clone(), types.echo_bytes(bytes));
    for text in ["", "Grüße 茶 😀", "\0"] {
        checks.same(&format!("{name} string {text:?}"), text.to_string(), types.echo_string(text.into()));
    }
    for text in ["19.90", "-0.001", "1E+3"] {
        checks.same(&format!("{name} decimal {text}"), text.to_string(), types.echo_decimal(text.into()));
    }
    checks.same(&format!("{name} date"), "2026-02-28".to_string(), types.echo_date("2026-02-28".into()));
    checks.same(&format!("{name} instant"), OPENING + 1, types.echo_datetime(OPENING + 1));
    checks.same(&format!("{name} enum"), Status::PREORDER, types.echo_enum(Status::PREORDER));
    let lists = vec![vec!["a".to_string()], vec![]];
    checks.same(&format!("{name} nested list"), lists.clone(), types.echo_nested_list(lists));
    let set = BTreeSet::from([1_i64, i64::MAX]);
    checks.same(&format!("{name} set"), set.clone(), types.echo_long_set(set));
    let points = BTreeMap::from([(Point::new(1, -2), "a".to_string()), (Point::new(3, 4), "b".to_string())]);
    checks.same(&format!("{name} structs as keys"), points.clone(), types.echo_struct_map(points));
    // The default of an optional text or number is an empty one or zero in Rust, not None.
    let everything = Everything {
        string_: Some("x".into()),
        i64_: Some(7),
        boxed_i64: None,
        bigint: None,
        decimal: None,
        character: None,
        boxed_char: None,
        date: None,
        time: None,
        local_datetime: None,
        duration: None,
        uuid_: None,
        any: None,
        ..Default::default()
    };
    let found = types.echo_everything(everything).map(|each| (each.string_, each.i64_, each.boxed_i64, each.any));
    checks.same(&format!("{name} a large struct"), (Some("x".to_string()), Some(7), None, None), found);
    checks.same(&format!("{name} nothing"), (), types.echo_nothing());
    let undeclared = types.fail_undeclared("because".into());
    let said = matches!(
        &undeclared,
        Err(Error::Application(error)) if error.kind == ApplicationErrorKind::InternalError && error.message.contains("because")
    );
    checks.holds(&format!("{name} an undeclared exception"), said, &undeclared);
    checks.same(&format!("{name} the connection of values stays"), 1, types.echo_i32(1));
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let port: u16 = arguments[2].parse().expect("a port");
    let mut checks = Checks::default();
    for compact in [false, true] {
        for framed in [false, true] {
            let style = format!(
                "{} {}",
                if compact { "compact" } else { "binary" },
                if framed { "framed" } else { "buffered" }
            );
            catalog(&mut checks, &format!("{style} plain"), connect(port, compact, framed, ""));
            catalog(&mut checks, &format!("{style} multiplexed"), connect(port, compact, framed, "demo.Catalog"));
            types(&mut checks, &style, connect(port, compact, framed, "Types"));
            let mut nobody = {
                let (input, output) = connect(port, compact, framed, "Nothing");
                CatalogSyncClient::new(input, output)
            };
            let refused = nobody.count();
            let said = matches!(
                &refused,
                Err(Error::Application(error)) if error.kind == ApplicationErrorKind::UnknownMethod
            );
            checks.holds(&format!("{style} no such service"), said, &refused);
        }
    }
    println!("{} of {} checks", checks.passed, checks.total);
}
