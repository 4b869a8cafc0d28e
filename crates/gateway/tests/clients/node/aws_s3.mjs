import { GetObjectCommand, PutObjectCommand, S3Client, paginateListObjectsV2 } from '@aws-sdk/client-s3';

const Bucket = 'bucket';
const client = (base) =>
  new S3Client({
    endpoint: base,
    forcePathStyle: true,
    region: 'eu-central-1',
    credentials: { accessKeyId: KEY, secretAccessKey: 'any' },
    maxAttempts: 1,
  });
const put = (base) => client(base).send(new PutObjectCommand({ Bucket, Key: 'new', Body: 'new' }));

const pages = await all(paginateListObjectsV2({ client: client(BASE) }, { Bucket }));
const got = await client(BASE).send(new GetObjectCommand({ Bucket, Key: 'a b' }));
const result = {
  names: pages.flatMap((page) => page.Contents.map((item) => item.Key)),
  text: await got.Body.transformToString(),
  etag: (await put(BASE)).ETag,
};
const status = (base) =>
  put(base).catch((error) => {
    throw new Error(`${error.message} ${error.$response?.statusCode}`);
  });
report({ result, unknown: await shown(status, UNKNOWN), broken: await shown(status, BROKEN) });
