require 'aws-sdk-s3'

def client(base)
  Aws::S3::Client.new(
    endpoint: base, force_path_style: true, region: 'eu-central-1',
    access_key_id: KEY, secret_access_key: 'any', retry_limit: 0
  )
end

def put(base)
  client(base).put_object(bucket: 'bucket', key: 'new', body: 'new')
rescue Aws::Errors::ServiceError => e
  raise "#{e.class} #{e.context.http_response.status_code}"
end

result = {
  names: client(BASE).list_objects_v2(bucket: 'bucket').flat_map { |page| page.contents.map(&:key) },
  text: client(BASE).get_object(bucket: 'bucket', key: 'a b').body.read,
  etag: put(BASE).etag
}
report(result: result, unknown: shown { put(UNKNOWN) }, broken: shown { put(BROKEN) })
