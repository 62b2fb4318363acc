<?php

// Laravel's signed URLs, by Laravel itself: Debian's php-illuminate-routing 8.83. `run.py` runs no PHP, so this one is
// run by itself, with the same arguments:
//
//     php interop/drivers/laravel-signed-url.php --count 300 --seed 1 | countersign verify --jsonl
//     php interop/drivers/laravel-signed-url.php --fixed > vectors/laravel-signed-url/sdk.jsonl
//     php interop/drivers/laravel-signed-url.php --unsigned --count 300 > lines.jsonl
//     countersign sign --jsonl < lines.jsonl | php interop/drivers/laravel-signed-url.php --verify lines.jsonl

require_once 'Illuminate/Routing/autoload.php';

use Illuminate\Http\Request;
use Illuminate\Routing\Route;
use Illuminate\Routing\RouteCollection;
use Illuminate\Routing\UrlGenerator;

const SDK = 'php-illuminate-routing 8.83.26';
const NAMES = ['a', 'user', 'A', 'a b', 'é', 'x-1', 'list', 'q[0]', '_', 'zz'];
const ODD = ['', 'a', 'a b', 'é', '日本', '+', '%20', '&', '=', '/', '?', '#', '~', "'", '"', '[x]', ':', '*', ';'];

function generator(string $secret, Request $request): UrlGenerator
{
    $routes = new RouteCollection();
    // Any path below the root is one parameter of one route.
    $routes->add((new Route('GET', '{path}', ['as' => 'any', 'uses' => fn () => null]))->where('path', '.*'));
    $routes->refreshNameLookups();
    $generator = new UrlGenerator($routes, $request);
    $generator->setKeyResolver(fn () => $secret);
    return $generator;
}

function line(string $secret, string $root, string $path, array $query, ?int $expires, int $now): array
{
    // A number would be seconds from now.
    $end = $expires === null ? null : (new DateTimeImmutable())->setTimestamp($expires);
    $url = generator($secret, Request::create($root))->signedRoute('any', ['path' => $path] + $query, $end);
    return ['method' => 'GET', 'url' => $url, 'headers' => [], 'secret' => $secret, 'now' => $now];
}

function drawn(bool $unsigned): array
{
    $secret = 'base64:' . base64_encode(pack('N*', ...array_map(fn () => mt_rand(), range(1, 8))));
    $now = mt_rand(1262304000, 2114380800);
    $query = [];
    for ($left = mt_rand(0, 4); $left > 0; $left--) {
        $query[NAMES[mt_rand(0, count(NAMES) - 1)]] = implode('', array_map(fn () => ODD[mt_rand(0, count(ODD) - 1)], range(1, mt_rand(1, 3))));
    }
    // No path here ends in a slash: Laravel takes it off before it compares.
    $path = implode('/', array_map(fn () => NAMES[mt_rand(0, 6)], range(1, mt_rand(1, 3))));
    $root = ['https://app.test', 'http://app.test:8080', 'https://a-b.example.org'][mt_rand(0, 2)];
    $expires = mt_rand(0, 1) ? $now + mt_rand(0, 99999) : null;
    if (!$unsigned) {
        return line($secret, $root, $path, $query, $expires, $now);
    }
    // Laravel compares with the present.
    $url = $root . '/' . implode('/', array_map('rawurlencode', explode('/', $path))) . ($query ? '?' . http_build_query($query, '', '&', PHP_QUERY_RFC3986) : '');
    return ['method' => 'GET', 'url' => $url, 'headers' => [], 'secret' => $secret, 'now' => time()] + (mt_rand(0, 1) ? ['vars' => ['ttl' => '3600']] : []);
}

function fixed(): array
{
    $now = 1714566896;
    $covered = ['scheme', 'host', 'path', 'query', 'query.signature', 'secret', 'query.user'];
    $open = ['method', 'body', 'header.user-agent'];
    $lines = [];
    foreach (['expiring' => $now + 60, 'for-ever' => null] as $id => $expires) {
        $made = line('base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=', 'https://app.test', 'unsubscribe/1', ['user' => 'a b&c', 'é' => '1'], $expires, $now);
        $more = ['id' => "laravel-$id", 'source' => SDK . ', UrlGenerator::signedRoute', 'expect' => 'verified', 'covered' => [...$covered, 'query.expires'], 'open' => $open];
        $lines[] = $more + $made;
    }
    return $lines;
}

function show(array $line): void
{
    echo json_encode($line, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR), "\n";
}

$options = getopt('', ['count:', 'seed:', 'fixed', 'unsigned', 'verify:']);
if (isset($options['verify'])) {
    $lines = array_map(fn ($text) => json_decode($text, true), file($options['verify']));
    foreach (file('php://stdin') as $index => $text) {
        $request = Request::create(json_decode($text, true)['url']);
        show(['index' => $index, 'accepted' => generator($lines[$index]['secret'], $request)->hasValidSignature($request)]);
    }
} elseif (isset($options['fixed'])) {
    array_map('show', fixed());
} else {
    mt_srand((int) ($options['seed'] ?? 1));
    for ($index = 0; $index < (int) ($options['count'] ?? 10); $index++) {
        show(['id' => "laravel-signed-url/$index", 'scheme' => 'laravel-signed-url'] + drawn(isset($options['unsigned'])));
    }
}
