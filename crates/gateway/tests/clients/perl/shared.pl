use strict;
use warnings;
use JSON::PP;

my ($base, $key, $unknown, $broken) = @ENV{qw(BASE KEY UNKNOWN BROKEN)};

# Returns the text of the error by which the call dies.
sub shown {
    my ($call) = @_;
    my $value = eval { $call->() };
    return $@ if $@;
    die 'no error';
}

sub report {
    print encode_json({@_}), "\n";
}

# Returns the pieces of a body without a known length, one with each call.
sub pieces {
    my $left = 300;
    return sub { $left-- > 0 ? 'x' x 1000 : '' };
}
