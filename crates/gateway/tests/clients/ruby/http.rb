require 'net/http'

# A body without a known length.
class Pieces
  def initialize
    @left = 300
  end

  def read(length, buffer = +'')
    return nil if @left.zero?

    @left -= 1
    buffer.replace('x' * 1000)
  end
end

def send_to(base, type, path, body: nil, stream: nil)
  uri = URI(base + path)
  request = type.new(uri, 'authorization' => "Bearer #{KEY}")
  request.body = body and request.content_type = 'application/json' if body
  request.body_stream = stream and request['transfer-encoding'] = 'chunked' if stream
  Net::HTTP.start(uri.host, uri.port) { |http| http.request(request) }
end

def create(base)
  response = send_to(base, Net::HTTP::Post, '/v1/things', body: '{"name":"d"}')
  answer = JSON.parse(response.body)
  raise answer['detail'] unless response.is_a?(Net::HTTPSuccess)

  [response.code.to_i, answer['id']]
end

result = {
  things: JSON.parse(send_to(BASE, Net::HTTP::Get, '/v1/things?page=2').body)['things'],
  stream: send_to(BASE, Net::HTTP::Get, '/v1/stream').body,
  upload: JSON.parse(send_to(BASE, Net::HTTP::Put, '/v1/upload', stream: Pieces.new).body),
  created: create(BASE)
}
report(result: result, unknown: shown { create(UNKNOWN) }, broken: shown { create(BROKEN) })
