import { GetObjectCommand, PutObjectCommand, S3Client, paginateListObjectsV2 } from '@aws-sdk/client-s3';

resolveNames();
const Bucket = 'bucket';
// The SDK puts the bucket in front of the host.
const client = (id) =>
  new S3Client({
    endpoint: `http://${id}.gw.test:${PORT}`,
    region: 'eu-central-1',
    credentials: { accessKeyId: KEY, secretAccessKey: 'any' },
    maxAttempts: 1,
  });
const put = (id) => client(id).send(new PutObjectCommand({ Bucket, Key: 'new', Body: 'new' }));

const pages = await all(paginateListObjectsV2({ client: client('c') }, { Bucket }));
const got = await client('c').send(new GetObjectCommand({ Bucket, Key: 'a b' }));
const result = {
  names: pages.flatMap((page) => page.Contents.map((item) => item.Key)),
  text: await got.Body.transformToString(),
  etag: (await put('c')).ETag,
};
const status = (id) =>
  put(id).catch((error) => {
    throw new Error(`${error.message} ${error.$response?.statusCode}`);
  });
report({ result, unknown: await shown(status, 'nobody'), broken: await shown(status, 'broken') });
