use HTTP::Tiny;

my $http = HTTP::Tiny->new(default_headers => { authorization => "Bearer $key" });

sub create {
    my $json = { headers => { 'content-type' => 'application/json' }, content => '{"name":"d"}' };
    my $response = $http->post("$_[0]/v1/things", $json);
    my $answer = decode_json($response->{content});
    die $answer->{detail} unless $response->{success};
    return [$response->{status} + 0, $answer->{id}];
}

my $result = {
    things  => decode_json($http->get("$base/v1/things?page=2")->{content})->{things},
    stream  => $http->get("$base/v1/stream")->{content},
    upload  => decode_json($http->put("$base/v1/upload", { content => pieces() })->{content}),
    created => create($base),
};
report(result => $result, unknown => shown(sub { create($unknown) }), broken => shown(sub { create($broken) }));
