<?php
/*
 * Sessions of mod_session_dynamodb in PHP programs: PHP-FPM, CGI.
 *
 *   require 'session_dynamodb.php';
 *   $session = SessionDynamoDB\session();                          // SessionEnv On: name => value, [] without a session
 *   SessionDynamoDB\change(['visits' => 3, 'cart' => null]);       // SessionHeader X-Replace-Session: sets, removes
 *   $values = SessionDynamoDB\forwarded($keys, 'fcgi://127.0.0.1:9000');    // SessionDynamoDBForward; null: not from httpd
 *   SessionDynamoDB\same_token($_POST['token'] ?? '', $_SERVER['SESSION_CSRF'] ?? '');    // SessionDynamoDBCSRFToken
 *
 * Names and values are bytes, as all of PHP's strings. An entry whose name is a number has an int as its key, as in
 * every array of PHP.
 */
declare(strict_types=1);

namespace SessionDynamoDB;

/** A program's header line has 8190 bytes at most; httpd answers 500 or 502 to a longer one. */
const LONGEST_LINE = 8190;
/** Seconds that a signature may be away from this clock. */
const SIGNATURE_AGE = 60;

/** The entries of the session. "expiry" is mod_session's own, and left out. $server: instead of $_SERVER. */
function session(?array $server = null): array
{
    // Not parse_str: it changes names, such as "cart.tea" to "cart_tea".
    $entries = [];
    foreach (explode('&', (string)(($server ?? $_SERVER)['HTTP_SESSION'] ?? '')) as $part) {
        [$name, $value] = array_map('urldecode', explode('=', $part, 2)) + ['', ''];
        if ($name !== '' && $name !== 'expiry') {
            $entries[$name] = $value;
        }
    }
    return $entries;
}

/** The value of the header for change(). */
function change_value(array $entries, string $header = 'X-Replace-Session'): string
{
    $parts = [];
    foreach ($entries as $name => $value) {
        if ($name === '' || $name === 'expiry') {
            throw new \InvalidArgumentException($name === '' ? 'an entry needs a name' : "the entry expiry is mod_session's own");
        }
        $parts[] = rawurlencode((string)$name) . '=' . rawurlencode((string)$value);
    }
    $value = implode('&', $parts);
    if (strlen("$header: $value") > LONGEST_LINE) {
        throw new \InvalidArgumentException('more than ' . LONGEST_LINE . ' bytes in one header line: change fewer entries in one answer');
    }
    return $value;
}

/** Set these entries with this answer, and remove those whose value is null or empty. Others stay as they are. */
function change(array $entries, string $header = 'X-Replace-Session'): void
{
    header("$header: " . change_value($entries, $header), false);
}

/**
 * The values that httpd forwarded, by lower-case header name; '' for an entry that the session does not have. null: the
 * request does not come from httpd, or was signed for something else.
 * @param string[] $keys the lines of the key file
 * @param string $audience this application's own, from its settings, never from the request
 * @param bool $accept_version_1 true only while httpd still has SessionDynamoDBForwardVersion 1
 */
function forwarded(array $keys, string $audience, ?array $server = null, bool $accept_version_1 = false): ?array
{
    $server = $server ?? $_SERVER;
    $form = '/^(?:v=2; a=([^; ]+); )?t=([0-9]{1,12}); k=([0-9a-f]{8}); h=([A-Za-z0-9_,-]+); s=([0-9a-f]{64})$/D';
    if (!preg_match($form, (string)($server['HTTP_X_SESSION_SIGNATURE'] ?? ''), $m)
        || ($m[1] !== '' ? $m[1] !== $audience : !$accept_version_1) || abs(time() - (int)$m[2]) > SIGNATURE_AGE) {
        return null;
    }
    $text = ($m[1] !== '' ? "v=2\na=$m[1]\n" : '') . "$m[2]\n" . ($server['REQUEST_METHOD'] ?? '') . "\n" . ($server['REQUEST_URI'] ?? '');
    $values = [];
    foreach (explode(',', $m[4]) as $name) {
        $value = (string)($server['HTTP_' . strtoupper(strtr($name, '-', '_'))] ?? '');
        $text .= "\n$name:$value";
        $values[$name] = rawurldecode($value);
    }
    foreach ($keys as $key) {
        if (substr(hash('sha256', $key), 0, 8) === $m[3] && hash_equals(hash_hmac('sha256', $text, $key), $m[5])) {
            return $values;
        }
    }
    return null;
}

/**
 * Whether a form's anti-forgery token is one of the session to which SESSION_CSRF, $own, belongs. Each page has another
 * token of the same secret: its first half XOR its second.
 */
function same_token(string $token, string $own): bool
{
    $secrets = [];
    foreach ([$token, $own] as $each) {
        if (!preg_match('/^[A-Za-z0-9_-]{86}$/D', $each)) {
            return false;
        }
        $bytes = base64_decode(strtr($each, '-_', '+/'), true);
        if ($bytes === false || strlen($bytes) !== 64) {
            return false;
        }
        $secrets[] = substr($bytes, 0, 32) ^ substr($bytes, 32);
    }
    return hash_equals($secrets[0], $secrets[1]);
}
