import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;

/** The client of the JDK, which asks for HTTP/2 by an upgrade of its first request. */
public class Http {
    static final Map<String, String> VARIABLES = System.getenv();
    static final HttpClient CLIENT = HttpClient.newHttpClient();

    static HttpResponse<String> send(String method, String variable, String path, BodyPublisher body)
            throws Exception {
        var request =
                HttpRequest.newBuilder(URI.create(VARIABLES.get(variable) + path))
                        .method(method, body)
                        .header("authorization", "Bearer " + VARIABLES.get("KEY"))
                        .header("content-type", "application/json")
                        .build();
        return CLIENT.send(request, BodyHandlers.ofString());
    }

    static HttpResponse<String> get(String path) throws Exception {
        return send("GET", "BASE", path, BodyPublishers.noBody());
    }

    static HttpResponse<String> create(String variable) throws Exception {
        return send("POST", variable, "/v1/things", BodyPublishers.ofString("{\"name\":\"d\"}"));
    }

    /** Returns the text as a string of JSON. */
    static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    public static void main(String[] arguments) throws Exception {
        var things = get("/v1/things?page=2").body();
        var stream = get("/v1/stream").body();
        var piece = new byte[1000];
        Arrays.fill(piece, (byte) 'x');
        // The length of an iterable is unknown.
        var pieces = BodyPublishers.ofByteArrays(Collections.nCopies(300, piece));
        var upload = send("PUT", "BASE", "/v1/upload", pieces).body();
        var created = create("BASE");
        var id = created.body().replaceAll("[^0-9]", "");
        var list = things.substring(things.indexOf('['), things.indexOf(']') + 1);
        System.out.printf(
                "{\"result\":{\"things\":%s,\"stream\":%s,\"upload\":%s,\"created\":[%d,%s]},"
                        + "\"unknown\":%s,\"broken\":%s}%n",
                list, quoted(stream), upload, created.statusCode(), id,
                quoted(create("UNKNOWN").body()), quoted(create("BROKEN").body()));
    }
}
