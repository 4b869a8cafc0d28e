use HTTP::Request::Common qw(GET POST PUT);
use LWP::UserAgent;

my $agent = LWP::UserAgent->new;
$agent->default_header(Authorization => "Bearer $key");

sub create {
    my $response = $agent->post("$_[0]/v1/things", Content_Type => 'application/json', Content => '{"name":"d"}');
    my $answer = decode_json($response->content);
    die $answer->{detail} if $response->is_error;
    return [$response->code, $answer->{id}];
}

my $put = HTTP::Request->new(PUT => "$base/v1/upload", [], pieces());
my $result = {
    things  => decode_json($agent->get("$base/v1/things?page=2")->content)->{things},
    stream  => $agent->get("$base/v1/stream")->content,
    upload  => decode_json($agent->request($put)->content),
    created => create($base),
};
report(result => $result, unknown => shown(sub { create($unknown) }), broken => shown(sub { create($broken) }));
