<?php

// Uses demo.Catalog and demo.Types with PHP's SoapClient, by their WSDL: `php soap_client.php BASE_URL VERSION,…`.
// It makes texts of xs:decimal, of dates and times, and of all that is in a fault or of no type, and writes no xsi:type.
// An xs:integer is an int of 64 bits to it, whatever it was.

declare(strict_types=1);

ini_set('precision', '17');
ini_set('serialize_precision', '17');

$passed = $total = 0;

/** Passes unless the step throws; returns what it gives. */
function check(string $name, callable $step): mixed
{
    global $passed, $total;
    $total++;
    try {
        $value = $step();
        $passed++;
        echo "ok $name\n";
        return $value;
    } catch (Throwable $trouble) {
        echo "FAIL $name: ", substr(preg_replace('/\s+/', ' ', (string) $trouble), 0, 2000), "\n";
        return null;
    }
}

/** Passes when the step gives this very value. */
function same(string $name, mixed $expected, callable $step): void
{
    check($name, function () use ($expected, $step) {
        $value = $step();
        if ($value !== $expected) {
            throw new Exception('expected ' . json_encode($expected) . ', got ' . json_encode($value));
        }
    });
}

function client(string $base, string $name, string $version): SoapClient
{
    return new SoapClient("$base/demo.$name?wsdl", [
        'soap_version' => $version === '1.2' ? SOAP_1_2 : SOAP_1_1,
        'cache_wsdl' => WSDL_CACHE_NONE,
        'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
        'trace' => true,
    ]);
}

/** Calls an operation; gives the element `return`. */
function call(SoapClient $client, string $operation, array $arguments = []): mixed
{
    return $client->__soapCall($operation, [$arguments])?->return ?? null;
}

function fault(callable $step): SoapFault
{
    try {
        $step();
    } catch (SoapFault $fault) {
        return $fault;
    }
    throw new Exception('it raised nothing');
}

function entries(object $map): array
{
    return array_column(array_map(fn ($each) => [$each->key, $each->value], $map->entry), 1, 0);
}

function catalog(SoapClient $client): void
{
    same('count', 3, fn () => call($client, 'count'));
    $lamp = check('find', fn () => call($client, 'find', ['product_id' => 1]));
    same('a text', 'Desk lamp', fn () => $lamp->name);
    same('a decimal', '49.90', fn () => $lamp->price);
    same('an instant', '2026-01-02T08:30:00Z', fn () => $lamp->created_at);
    same('an enum', 'ACTIVE', fn () => $lamp->status);
    same('a list', ['light', 'office'], fn () => $lamp->tags);
    same('a map', ['berlin' => 12, 'oslo' => 0], fn () => entries($lamp->stock));
    same('structs in structs', 'SE', fn () => $lamp->maker->parent->country);
    $wall = check('find another', fn () => call($client, 'find', ['product_id' => 3]));
    same('text beyond ASCII', "Wandleuchte \u{201e}Gr\u{fc}n\u{201c} \u{1f33f}", fn () => $wall->name);
    same('null', [null, null], fn () => [$wall->maker ?? null, $wall->updated_at ?? null]);
    same('find by name', 1, fn () => call($client, 'find_by_name', ['name' => 'Desk lamp'])->id);

    $missing = check('a declared exception', fn () => fault(fn () => call($client, 'find', ['product_id' => -5])));
    same('its text', 'no product -5', fn () => $missing->faultstring);
    same('its field', '-5', fn () => $missing->detail->ProductNotFound->product_id);
    $reserve = ['product_id' => 1, 'warehouse' => 'berlin', 'quantity' => 1000000];
    $empty = check('another', fn () => fault(fn () => call($client, 'reserve', $reserve)));
    same('its fields', ['berlin', '999988'], function () use ($empty) {
        return [$empty->detail->OutOfStock->warehouse, $empty->detail->OutOfStock->missing];
    });
    $negative = check('undeclared', fn () => fault(fn () => call($client, 'reserve', ['quantity' => -1] + $reserve)));
    same('what it says', true, fn () => str_contains($negative->faultstring, 'quantity is negative'));

    $ids = fn (array $arguments) => array_map(fn ($each) => $each->id, call($client, 'search', $arguments) ?? []);
    same('search by defaults', [1, 2], fn () => $ids(['text' => 'desk']));
    same('search with a limit', [1], fn () => $ids(['text' => 'desk', 'limit' => 1]));
    same('search with a set', [1], fn () => $ids(['text' => '', 'limit' => 10, 'tags' => ['item' => ['light']]]));
    same('search finds nothing', [], fn () => $ids(['text' => 'no such thing']));
    same('a map of dates', ['2025-10-04' => '54.90', '2026-01-02' => '49.90'], function () use ($client) {
        return entries(call($client, 'price_history', ['product_id' => 1]));
    });

    $chair = ['id' => 0, 'name' => 'Chair', 'price' => '0.10', 'status' => 'PREORDER'];
    $chair += ['created_at' => '2026-08-14T11:26:53.589793+02:00', 'stock' => ['entry' => []]];
    $number = check('put', fn () => call($client, 'put', ['product' => $chair]));
    $put = check('find it', fn () => call($client, 'find', ['product_id' => $number]));
    same('what it is', ['0.10', '2026-08-14T09:26:53.589793Z', 'PREORDER'], function () use ($put) {
        return [$put->price, $put->created_at, $put->status];
    });
    same('oneway', null, fn () => call($client, 'touch', ['product_id' => $number]));
    same('remove', true, fn () => call($client, 'remove', ['product_id' => $number]));
    same('remove nothing', false, fn () => call($client, 'remove', ['product_id' => $number]));
}

function types(SoapClient $client): void
{
    $echo = function (string $type, mixed $sent, mixed $expected) use ($client) {
        $shown = substr(json_encode($sent, JSON_PARTIAL_OUTPUT_ON_ERROR), 0, 40);
        same("echo_$type $shown", $expected, fn () => call($client, "echo_$type", ['value' => $sent]));
    };
    $values = [
        'bool' => [true, false],
        'i8' => [-128, 127],
        'i32' => [-2147483648, 2147483647],
        'i64' => [PHP_INT_MIN, PHP_INT_MAX],
        'bigint' => [PHP_INT_MIN],
        'any' => ['text'],
        'f64' => [0.1, -128.5, 1e300, 5e-324, INF],
        'decimal' => ['1.10', '-0.0000001'],
        'char' => [65535],
        'string' => ['', " a\tb\n ", "\u{8336} \u{1f600} <&>]]>'\"", str_repeat('x', 100000)],
        'bytes' => [implode('', array_map('chr', range(0, 255))), ''],
        'date' => ['2026-08-14'],
        'time' => ['09:26:53.589793'],
        'datetime' => ['2026-08-14T09:26:53.589793Z'],
        'local_datetime' => ['2026-08-14T09:26:53.500000'],
        'uuid' => ['f81d4fae-7dec-11d0-a765-00a0c91e6bf6'],
        'int_list' => [[1, 2, 3], [1]],
        'string_list' => [['', 'b']],
        'enum' => ['ACTIVE', 'PREORDER', 'DISCONTINUED'],
        'nullable' => ['text', '', null],
    ];
    foreach ($values as $type => $all) {
        foreach ($all as $each) {
            $echo($type, $each, $each);
        }
    }
    same('echo_struct', ['m', 'p'], function () use ($client) {
        $maker = call($client, 'echo_struct', ['value' => ['name' => 'm', 'parent' => ['name' => 'p']]]);
        return [$maker->name, $maker->parent->name];
    });
    same('echo_string_map', ['a' => 1, '' => 2], function () use ($client) {
        $map = ['entry' => [['key' => 'a', 'value' => 1], ['key' => '', 'value' => 2]]];
        return entries(call($client, 'echo_string_map', ['value' => $map]));
    });
    same('echo_nothing', null, fn () => call($client, 'echo_nothing'));
    same('a number that PHP does not hold', PHP_INT_MAX, function () use ($client) {
        return call($client, 'echo_bigint', ['value' => '1' . PHP_INT_MAX]);
    });
    same('a type that PHP does not write', '3', function () use ($client) {
        return call($client, 'echo_any', ['value' => new SoapVar(3, XSD_INT)]);
    });
    $declared = check('fail_declared', fn () => fault(fn () => call($client, 'fail_declared', ['message' => 'why'])));
    same('its fields', ['why', '42', 'Acme'], function () use ($declared) {
        $failure = $declared->detail->TypesFailure;
        return [$declared->faultstring, $failure->code, $failure->culprit->name];
    });
    $undeclared = fault(fn () => call($client, 'fail_undeclared', ['message' => 'because']));
    same('fail_undeclared', true, fn () => str_contains($undeclared->faultstring, 'because'));
}

foreach (explode(',', $argv[2]) as $version) {
    echo "version $version\n";
    catalog(client($argv[1], 'Catalog', $version));
    types(client($argv[1], 'Types', $version));
}
echo "$passed of $total checks\n";
