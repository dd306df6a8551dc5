# Uses a store under `store:` and services with Redis, Redis::Fast and Cache::Memcached. Prints a line of JSON for each
# check: {"check": name, "value": …}, or "error" in its place. Arguments: NAME:PORT, of the runs at the end.

use strict;
use warnings;
use utf8;
use Cache::Memcached;
use JSON::PP;
use Redis;

$| = 1;
binmode STDOUT, ':raw';

my $json = JSON::PP->new->canonical->allow_nonref->utf8(0);
my @KEYS = map { "store:$_" } qw(a b c n n2 t x bin long app ex nx tx1 scan:1 scan:2);
my $ALL_BYTES = join '', map { chr } 0 .. 255;
my $LONG = '0123456789abcdef' x 8192;
my $TEXT = "1 Grüße 茶";
utf8::encode($TEXT);

# Bytes are text where they are UTF-8 and `hex:…` elsewhere.
sub shown {
    my ($value) = @_;
    return undef unless defined $value;
    return [map { shown($_) } @$value] if ref $value eq 'ARRAY';
    return {map { $_ => shown($value->{$_}) } keys %$value} if ref $value eq 'HASH';
    return $value if ref $value;
    my $text = "$value";
    return 'hex:' . unpack 'H*', $value unless utf8::decode($text);
    return $text;
}

sub printed {
    my $line = $json->encode($_[0]);
    utf8::encode($line);
    print "$line\n";
}

sub check {
    my ($name, $step) = @_;
    my @found = eval { $step->() };
    my $why = $@;
    $why =~ s/ at \S+ line \d+\.?\s*$//s;
    utf8::decode($why);
    printed($why ? {check => $name, error => $why} : {check => $name, value => [map { shown($_) } @found]});
}

# What a step dies of, as a value.
sub trouble {
    my ($step) = @_;
    my $value = eval { $step->() };
    my $why = $@;
    return $value unless $why;
    $why =~ s/, at \S+ line \d+\.?\s*$//s;
    $why =~ s/ at \S+ line \d+\.?\s*$//s;
    return $why;
}

sub redis_data {
    my $redis = Redis->new(server => "127.0.0.1:$_[0]", name => 'peer', password => 'open sesame', encoding => undef);
    $redis->del(@KEYS);
    check('ping', sub { $redis->ping });
    check('echo', sub { $redis->echo('a  b') });
    check('name', sub { $redis->client_getname });
    check('info', sub { (split /[.]/, $redis->info->{redis_version})[0] });
    check('set', sub { $redis->set('store:a', $TEXT) });
    check('get', sub { $redis->get('store:a') });
    check('get nothing', sub { scalar $redis->get('store:b') });
    check('every byte', sub { $redis->set('store:bin', $ALL_BYTES); $redis->get('store:bin') eq $ALL_BYTES ? 1 : 0 });
    check('long', sub { $redis->set('store:long', $LONG); $redis->get('store:long') eq $LONG ? 1 : 0 });
    check('only new', sub { (scalar $redis->set('store:a', 2, 'NX'), scalar $redis->set('store:nx', 2, 'NX')) });
    check('only old', sub { (scalar $redis->set('store:b', 2, 'XX'), scalar $redis->set('store:nx', 3, 'XX')) });
    check('mget', sub { $redis->mget('store:a', 'store:b', 'store:nx') });
    check('append', sub { ($redis->append('store:app', 'Hello'), $redis->append('store:app', '!')) });
    check('exists', sub { $redis->exists('store:a', 'store:b', 'store:a') });
    check('del', sub { $redis->del('store:a', 'store:b', 'store:nx') });
    check('incr', sub { ($redis->incr('store:n'), $redis->incrby('store:n', 41), $redis->decr('store:n')) });
    check('of a text', sub { $redis->set('store:t', 'text'); trouble(sub { $redis->incr('store:t') }) });
    check('setex', sub { ($redis->setex('store:ex', 100, 1), $redis->ttl('store:ex') > 90 ? 1 : 0) });
    check('persist', sub { ($redis->persist('store:ex'), $redis->ttl('store:ex'), $redis->ttl('store:b')) });
    check('expire', sub { ($redis->expire('store:ex', 50), $redis->ttl('store:ex') > 40 ? 1 : 0) });
    check('pipeline', sub {
        my @found;
        for my $number (0 .. 99) {
            $redis->set('store:x', $number, sub { });
            $redis->get('store:x', sub { push @found, $_[0] });
        }
        $redis->wait_all_responses;
        join(' ', @found) eq join(' ', 0 .. 99) ? 1 : 0;
    });
    check('transaction', sub {
        $redis->multi;
        $redis->set('store:tx1', 1);
        $redis->incrby('store:tx1', 4);
        $redis->get('store:b');
        $redis->exec;
    });
    check('discarded', sub {
        $redis->multi;
        $redis->set('store:tx1', 9);
        ($redis->discard, $redis->get('store:tx1'));
    });
    check('watched', sub { trouble(sub { $redis->watch('store:tx1') }) });
    check('scan', sub {
        $redis->mset('store:scan:1', 1, 'store:scan:2', 2);
        my ($cursor, $some, @found) = (0);
        do { ($cursor, $some) = $redis->scan($cursor, 'MATCH', 'store:scan:*', 'COUNT', 100); push @found, @$some } while $cursor;
        sort @found;
    });
    check('keys', sub { sort $redis->keys('store:scan:*') });
    check('unknown command', sub { trouble(sub { $redis->nosuch('a') }) });
    check('quit', sub { $redis->quit });
}

# Commands go out in upper case, and what stands behind an underscore as a word of its own: names of Java have none.
sub redis_calls {
    my $redis = Redis->new(server => "127.0.0.1:$_[0]", encoding => undef);
    my $call = sub { my @command = @_; sub { scalar $redis->__std_cmd(@command) } };
    my $named = 'Wandleuchte „Grün“ 🌿';
    my $tea = '{"name": "茶"}';
    my $text = "Grüße \r\n\0";
    utf8::encode($_) for $named, $tea, $text;
    for (
        ['find', 'demo.Catalog.find', 1],
        ['overload', 'demo.Catalog.find', $named],
        ['general form', 'CALL', 'demo.Catalog', 'find', 1],
        ['list', 'demo.Catalog.search', 'lamp', 1, '["office"]'],
        ['count', 'demo.Catalog.count'],
        ['struct', 'demo.Types.echoStruct', $tea],
        ['truth', 'demo.Types.echoBool', 'true'],
        ['float', 'demo.Types.echoF64', '0.1'],
        ['text', 'demo.Types.echoString', $text],
        ['nothing', 'demo.Types.echoNothing'],
        ['fault', 'demo.Catalog.find', -5],
        ['no such method', 'CALL', 'demo.Catalog', 'nothing'],
        ['bad argument', 'demo.Catalog.remove', 'x'],
    ) {
        my ($name, @command) = @$_;
        my $value = eval { my $found = $call->(@command)->(); $found };
        my $why = $@;
        $why =~ s/^\[[^\]]*\] //;
        $why =~ s/,\s+at \S+ line \d+\.?\s*$//s;
        printed({check => $name, value => shown($why || $value)});
    }
    $redis->quit;
}

sub memcached_data {
    my $client = Cache::Memcached->new({servers => ["127.0.0.1:$_[0]"], compress_threshold => 10_000});
    $client->delete($_) for @KEYS;
    check('version', sub { (split /[.]/, (values %{$client->stats('misc')->{hosts}})[0]{misc}{version})[0] });
    check('set', sub { $client->set('store:a', $TEXT) });
    check('get', sub { $client->get('store:a') });
    check('get nothing', sub { scalar $client->get('store:b') });
    check('every byte', sub { $client->set('store:bin', $ALL_BYTES); $client->get('store:bin') eq $ALL_BYTES ? 1 : 0 });
    check('compressed', sub { $client->set('store:long', $LONG); $client->get('store:long') eq $LONG ? 1 : 0 });
    check('stored object', sub { $client->set('store:x', {a => [1, 'two']}); $client->get('store:x') });
    check('add', sub { ($client->add('store:a', 2), $client->add('store:nx', 3)) });
    check('replace', sub { ($client->replace('store:b', 2), $client->replace('store:nx', 4)) });
    check('append', sub { ($client->append('store:nx', 5), $client->append('store:b', 5)) });
    check('prepend', sub { ($client->prepend('store:nx', 3), $client->get('store:nx')) });
    check('many', sub { $client->get_multi('store:a', 'store:b', 'store:nx') });
    check('incr', sub { $client->set('store:n', 10); ($client->incr('store:n', 32), scalar $client->incr('store:b')) });
    check('decr', sub { ($client->decr('store:n', 2), $client->decr('store:n', 100)) });
    check('for a time', sub { ($client->set('store:ex', 1, 100), $client->get('store:ex')) });
    check('delete', sub { ($client->delete('store:nx'), $client->delete('store:nx')) });
    check('no reply', sub { $client->set('store:x', 1); $client->incr('store:x', 5); $client->get('store:x') });
    check('statistics', sub { exists((values %{$client->stats('misc')->{hosts}})[0]{misc}{pid}) ? 1 : 0 });
    $client->disconnect_all;
}

sub memcached_calls {
    my $client = Cache::Memcached->new({servers => ["127.0.0.1:$_[0]"]});
    my $found = $client->get('demo.Catalog.find(1)');
    printed({check => 'find', value => defined $found ? JSON::PP->new->utf8->decode($found) : undef});
    printed({check => 'count', value => shown(scalar $client->get('demo.Catalog.count()'))});
    printed({check => 'text', value => shown(scalar $client->get('demo.Types.echo_string("%e8%8c%b6")'))});
    $client->disconnect_all;
}

my %RUNS = (
    'Redis.pm:data' => \&redis_data,
    'Redis.pm:calls' => \&redis_calls,
    'Cache::Memcached:data' => \&memcached_data,
    'Cache::Memcached:calls' => \&memcached_calls,
);
for (@ARGV) {
    my ($name, $port) = /^(.*):(\d+)$/;
    printed({run => $name});
    $RUNS{$name}->($port);
}
