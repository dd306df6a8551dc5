<?php
// Uses a store under `store:` and services with the extensions redis and memcached. Prints a line of JSON for each check:
// {"check": name, "value": …}, or "error" in its place. Arguments: NAME:PORT, of the runs at the end.

declare(strict_types=1);

const KEYS = ['a', 'b', 'c', 'n', 'n2', 't', 'x', 'bin', 'long', 'app', 'ex', 'nx', 'tx1', 'tx2', 'scan:1', 'scan:2'];

/** Bytes are text where they are UTF-8 and `hex:…` elsewhere. */
function shown(mixed $value): mixed
{
    if (is_string($value)) {
        return preg_match('//u', $value) === 1 ? $value : 'hex:' . bin2hex($value);
    }
    return is_array($value) ? array_map(shown(...), $value) : $value;
}

function check(string $name, callable $step): void
{
    try {
        $line = ['check' => $name, 'value' => shown($step())];
    } catch (Throwable $trouble) {
        $line = ['check' => $name, 'error' => $trouble->getMessage()];
    }
    echo json_encode($line, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR), "\n";
}

function key_of(string $name): string
{
    return "store:$name";
}

function redis_client(int $port): Redis
{
    $redis = new Redis();
    $redis->connect('127.0.0.1', $port, 10.0);
    return $redis;
}

function redis_data(int $port): void
{
    $redis = redis_client($port);
    $redis->auth('open sesame'); // calls of methods need no password
    $k = key_of(...);
    $bytes = implode('', array_map(chr(...), range(0, 255)));
    $long = str_repeat('0123456789abcdef', 8192);
    $redis->del(array_map($k, KEYS));
    $between = fn (int $low, int $value, int $high): bool => $low < $value && $value <= $high;

    check('ping', fn () => $redis->ping());
    check('echo', fn () => $redis->echo("茶 \r\n"));
    check('select', fn () => $redis->select(0));
    check('name', fn () => [$redis->client('setname', 'peer'), $redis->client('getname')]);
    check('info', fn () => explode('.', $redis->info('server')['redis_version'])[0]);
    check('time', fn () => count($redis->time()));
    check('set', fn () => $redis->set($k('a'), '1 Grüße 茶'));
    check('get', fn () => $redis->get($k('a')));
    check('get nothing', fn () => $redis->get($k('b')));
    check('every byte', fn () => [$redis->set($k('bin'), $bytes), $redis->get($k('bin')) === $bytes]);
    check('long', fn () => [$redis->set($k('long'), $long), $redis->get($k('long')) === $long]);
    check('only new', fn () => [$redis->set($k('a'), '2', ['nx']), $redis->set($k('nx'), '2', ['nx', 'ex' => 100])]);
    check('only old', fn () => [$redis->set($k('b'), '2', ['xx']), $redis->set($k('nx'), '3', ['xx'])]);
    check('setnx', fn () => [$redis->setnx($k('c'), '5'), $redis->setnx($k('c'), '6')]);
    check('getset, getdel', fn () => [$redis->getSet($k('c'), '7'), $redis->rawCommand('GETDEL', $k('c'))]);
    check('mget', fn () => $redis->mGet([$k('a'), $k('b'), $k('nx')]));
    check('append', fn () => [$redis->append($k('app'), 'Hello'), $redis->append($k('app'), ' 茶')]);
    check('exists', fn () => $redis->exists($k('a'), $k('b'), $k('a')));
    check('del', fn () => $redis->del($k('a'), $k('b'), $k('nx')));
    check('unlink', fn () => $redis->unlink($k('app')));
    check('incr', fn () => [$redis->incr($k('n')), $redis->incrBy($k('n'), 41)]);
    check('decr', fn () => [$redis->decr($k('n')), $redis->decrBy($k('n'), 50)]);
    check('of a text', function () use ($redis, $k): mixed {
        $redis->set($k('t'), 'text');
        try {
            return [$redis->incr($k('t')), $redis->getLastError()];
        } catch (RedisException $trouble) { // what does not begin with ERR
            return $trouble->getMessage();
        }
    });
    check('setex', fn () => [$redis->setex($k('ex'), 100, '1'), $between(90, $redis->ttl($k('ex')), 100)]);
    check('psetex', fn () => [$redis->psetex($k('ex'), 90000, '1'), $between(80000, $redis->pttl($k('ex')), 90000)]);
    check('persist', fn () => [$redis->persist($k('ex')), $redis->ttl($k('ex')), $redis->ttl($k('b'))]);
    check('expire', fn () => [$redis->expire($k('ex'), 50), $between(40, $redis->ttl($k('ex')), 50)]);
    check('pipeline', function () use ($redis, $k): bool {
        $redis->multi(Redis::PIPELINE);
        for ($number = 0; $number < 100; $number++) {
            $redis->set($k('x'), (string) $number);
            $redis->get($k('x'));
        }
        $found = array_filter($redis->exec(), fn (int $index) => $index % 2 === 1, ARRAY_FILTER_USE_KEY);
        return array_values($found) === array_map(strval(...), range(0, 99));
    });
    check('transaction', fn () => $redis->multi()->set($k('tx1'), '1')->incrBy($k('tx1'), 4)->get($k('tx2'))->exec());
    check('discarded', function () use ($redis, $k): array {
        $redis->multi();
        $redis->set($k('tx1'), '9');
        return [$redis->discard(), $redis->get($k('tx1'))];
    });
    check('watched', fn () => [$redis->watch($k('tx1')), $redis->getLastError()]);
    check('scan', function () use ($redis, $k): array {
        $redis->set($k('scan:1'), '1');
        $redis->set($k('scan:2'), '2');
        $redis->setOption(Redis::OPT_SCAN, Redis::SCAN_RETRY);
        $found = [];
        $iterator = null;
        while ($some = $redis->scan($iterator, $k('scan:*'), 100)) {
            array_push($found, ...$some);
        }
        sort($found);
        return $found;
    });
    check('serialized', function () use ($redis, $k): mixed {
        $redis->setOption(Redis::OPT_SERIALIZER, Redis::SERIALIZER_PHP);
        $redis->set($k('x'), ['a' => [1, 2.5, null, true]]);
        return $redis->get($k('x'));
    });
    $redis->close();
}

function redis_calls(int $port): void
{
    $redis = redis_client($port);
    $call = fn (string ...$command) => fn () => $redis->rawCommand(...$command);
    $told = function (string ...$command) use ($redis): Closure {
        return function () use ($redis, $command): mixed {
            $redis->clearLastError();
            try {
                $value = $redis->rawCommand(...$command);
            } catch (RedisException $trouble) { // what does not begin with ERR
                return $trouble->getMessage();
            }
            return $redis->getLastError() ?? 'no error, but ' . json_encode($value);
        };
    };
    check('find', $call('demo.Catalog.find', '1'));
    check('overload', $call('demo.Catalog.find', 'Wandleuchte „Grün“ 🌿'));
    check('general form', $call('CALL', 'demo.Catalog', 'find', '1'));
    check('list', $call('demo.Catalog.search', 'lamp', '1', '["office"]'));
    check('count', $call('demo.Catalog.count'));
    check('struct', $call('demo.Types.echo_struct', '{"name": "茶"}'));
    check('truth', $call('demo.Types.echo_bool', 'true'));
    check('float', $call('demo.Types.echo_f64', '0.1'));
    check('text', $call('demo.Types.echo_string', "Grüße \r\n\0"));
    check('fault', $told('demo.Catalog.find', '-5'));
    check('no such method', $told('demo.Catalog.nothing'));
    check('bad argument', $told('demo.Catalog.remove', 'x'));
    $redis->close();
}

function memcached_client(int $port): Memcached
{
    $client = new Memcached();
    $client->setOptions([Memcached::OPT_RECV_TIMEOUT => 10_000_000, Memcached::OPT_TCP_NODELAY => true]);
    $client->addServer('127.0.0.1', $port);
    return $client;
}

function memcached_data(int $port): void
{
    $client = memcached_client($port);
    $k = key_of(...);
    $bytes = implode('', array_map(chr(...), range(0, 255)));
    $long = str_repeat('0123456789abcdef', 8192);
    foreach (KEYS as $name) {
        $client->delete($k($name));
    }
    $said = fn (callable $step) => function () use ($client, $step): array {
        return [$step(), $client->getResultMessage()];
    };

    check('version', fn () => array_map(fn (string $each) => explode('.', $each)[0], array_values($client->getVersion())));
    check('set', $said(fn () => $client->set($k('a'), '1 Grüße 茶')));
    check('get', $said(fn () => $client->get($k('a'))));
    check('get nothing', $said(fn () => $client->get($k('b'))));
    check('every byte', fn () => [$client->set($k('bin'), $bytes), $client->get($k('bin')) === $bytes]);
    check('compressed', fn () => [$client->set($k('long'), $long), $client->get($k('long')) === $long]);
    check('types', function () use ($client, $k): array {
        $found = [];
        foreach ([7, 2.5, true, false, null, ['a' => [1, null]], '7'] as $value) {
            $client->set($k('x'), $value);
            $found[] = $client->get($k('x'));
        }
        return $found;
    });
    check('empty', $said(fn () => [$client->set($k('x'), ''), $client->get($k('x'))]));
    check('add', $said(fn () => [$client->add($k('nx'), '3'), $client->add($k('a'), '2')]));
    check('replace', $said(fn () => [$client->replace($k('nx'), '4'), $client->replace($k('b'), '2')]));
    $client->setOption(Memcached::OPT_COMPRESSION, false);
    check('append', $said(fn () => [$client->append($k('nx'), '5'), $client->append($k('b'), '5')]));
    check('prepend', $said(fn () => [$client->prepend($k('nx'), '3'), $client->get($k('nx'))]));
    check('many', fn () => $client->getMulti([$k('a'), $k('b'), $k('nx')]));
    check('set many', fn () => [$client->setMulti([$k('tx1') => '1', $k('tx2') => '2']), $client->get($k('tx2'))]);
    check('cas', function () use ($client, $k): array {
        $client->set($k('c'), '1');
        $token = $client->get($k('c'), null, Memcached::GET_EXTENDED)['cas'];
        return [$client->cas($token, $k('c'), '2'), $client->cas($token, $k('c'), '3'), $client->getResultMessage()];
    });
    check('delete', $said(fn () => [$client->delete($k('c')), $client->delete($k('c'))]));
    check('delete many', fn () => array_map(fn ($each) => $each === true, $client->deleteMulti([$k('tx1'), $k('b')])));
    check('incr', $said(fn () => [$client->set($k('n'), 10), $client->increment($k('n'), 32), $client->increment($k('b'))]));
    check('decr', $said(fn () => [$client->decrement($k('n'), 2), $client->decrement($k('n'), 100)]));
    check('of a text', $said(fn () => [$client->set($k('t'), 'text'), $client->increment($k('t'))]));
    check('touch', $said(fn () => [$client->touch($k('n'), 100), $client->touch($k('b'), 100)]));
    check('for a time', fn () => [$client->set($k('ex'), '1', 100), $client->get($k('ex'))]);
    check('delayed', function () use ($client, $k): array {
        $client->getDelayed([$k('a'), $k('nx')], false);
        return array_map(fn (array $each) => [$each['key'], $each['value']], $client->fetchAll());
    });
    check('statistics', fn () => array_key_exists('pid', array_values($client->getStats())[0]));
    check('no reply, at once', function () use ($client, $k): mixed {
        $client->setOption(Memcached::OPT_NO_BLOCK, true);
        $client->setOption(Memcached::OPT_BUFFER_WRITES, true);
        for ($number = 0; $number < 50; $number++) {
            $client->set($k('x'), "$number");
        }
        return $client->get($k('x'));
    });
    $client->quit();
}

function memcached_calls(int $port): void
{
    $client = memcached_client($port);
    check('find', function () use ($client): mixed {
        $found = $client->get('demo.Catalog.find(1)');
        return is_string($found) ? json_decode($found, true, flags: JSON_THROW_ON_ERROR) : $client->getResultMessage();
    });
    check('count', fn () => $client->get('demo.Catalog.count()'));
    check('text', fn () => $client->get('demo.Types.echo_string("%e8%8c%b6")'));
    $client->quit();
}

$runs = [
    'phpredis:data' => redis_data(...),
    'phpredis:calls' => redis_calls(...),
    'php-memcached:data' => memcached_data(...),
    'php-memcached:calls' => memcached_calls(...),
];
foreach (array_slice($argv, 1) as $argument) {
    $at = strrpos($argument, ':');
    $name = substr($argument, 0, $at);
    echo json_encode(['run' => $name]), "\n";
    $runs[$name]((int) substr($argument, $at + 1));
}
