import { GetObjectCommand, PutObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';

{{recipe aws-sdk-js-v3}}

const Bucket = 'bucket';
const put = (base) => connect(base).send(new PutObjectCommand({ Bucket, Key: 'new', Body: 'new' }));

const pages = await all(paginateListObjectsV2({ client: connect(BASE) }, { Bucket }));
const got = await connect(BASE).send(new GetObjectCommand({ Bucket, Key: 'a b' }));
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
