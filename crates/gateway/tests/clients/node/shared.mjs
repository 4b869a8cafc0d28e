import dns from 'node:dns';
import net from 'node:net';

const { BASE, KEY, ORIGIN, PORT, UNKNOWN, BROKEN } = process.env;

/** Returns the text of the error that the call raises. */
async function shown(call, ...values) {
  let value;
  try {
    value = await call(...values);
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
  throw new Error(`no error, but ${JSON.stringify(value)}`);
}

function report(said) {
  console.log(JSON.stringify(said));
}

/** Returns the items of an asynchronous iterator. */
async function all(items) {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}

/** A body without a known length. */
async function* pieces() {
  for (let piece = 0; piece < 300; piece += 1) yield Buffer.alloc(1000, 'x');
}

// All names lead to this machine, as an entry with `*` in DNS does for the names of a gateway, and the gateway has the
// port of https.
if (ORIGIN.endsWith('//gw.test')) {
  const { lookup } = dns;
  dns.lookup = (name, ...rest) => lookup('127.0.0.1', ...rest);
  const { connect } = net.Socket.prototype;
  net.Socket.prototype.connect = function (...values) {
    const options = Array.isArray(values[0]) ? values[0][0] : values[0];
    if (Number(options.port) === 443) options.port = Number(PORT);
    return connect.apply(this, values);
  };
}
