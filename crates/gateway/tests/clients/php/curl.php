function send(string $method, string $url, array $options = []): array
{
    global $key;
    $handle = curl_init($url);
    $fields = array_merge(["authorization: Bearer $key"], $options['fields'] ?? []);
    unset($options['fields']);
    curl_setopt_array($handle, $options + [
        CURLOPT_CUSTOMREQUEST => $method, CURLOPT_HTTPHEADER => $fields, CURLOPT_RETURNTRANSFER => true,
    ]);
    $body = curl_exec($handle);
    return [curl_getinfo($handle, CURLINFO_RESPONSE_CODE), $body];
}

function create(string $base): array
{
    $json = [CURLOPT_POSTFIELDS => '{"name":"d"}', 'fields' => ['content-type: application/json']];
    [$status, $body] = send('POST', "$base/v1/things", $json);
    $answer = json_decode($body, true);
    if ($status >= 400) {
        throw new RuntimeException($answer['detail']);
    }
    return [$status, $answer['id']];
}

$left = 300;
$upload = [
    CURLOPT_UPLOAD => true,
    CURLOPT_READFUNCTION => function () use (&$left) {
        return $left-- > 0 ? str_repeat('x', 1000) : '';
    },
];
$result = [
    'things' => json_decode(send('GET', "$base/v1/things?page=2")[1], true)['things'],
    'stream' => send('GET', "$base/v1/stream")[1],
    'upload' => json_decode(send('PUT', "$base/v1/upload", $upload)[1], true),
    'created' => create($base),
];
report(['result' => $result, 'unknown' => shown(fn () => create($unknown)), 'broken' => shown(fn () => create($broken))]);
