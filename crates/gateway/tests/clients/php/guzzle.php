require 'GuzzleHttp/autoload.php';

use GuzzleHttp\Client;
use GuzzleHttp\Psr7\Utils;

$http = new Client(['headers' => ['authorization' => "Bearer $key"]]);
$read = fn ($response) => json_decode((string) $response->getBody(), true);
$create = function ($base) use ($http, $read) {
    $response = $http->post("$base/v1/things", ['json' => ['name' => 'd']]);
    return [$response->getStatusCode(), $read($response)['id']];
};
// The length of a generator is unknown.
$pieces = (function () {
    for ($piece = 0; $piece < 300; $piece++) {
        yield str_repeat('x', 1000);
    }
})();
$result = [
    'things' => $read($http->get("$base/v1/things", ['query' => ['page' => 2]]))['things'],
    'stream' => $http->get("$base/v1/stream", ['stream' => true])->getBody()->getContents(),
    'upload' => $read($http->put("$base/v1/upload", ['body' => Utils::streamFor($pieces)])),
    'created' => $create($base),
];
$detail = function ($base) use ($create) {
    try {
        return $create($base);
    } catch (GuzzleHttp\Exception\BadResponseException $error) {
        // The message has only the first characters of the body.
        throw new RuntimeException((string) $error->getResponse()->getBody());
    }
};
report(['result' => $result, 'unknown' => shown(fn () => $detail($unknown)), 'broken' => shown(fn () => $detail($broken))]);
