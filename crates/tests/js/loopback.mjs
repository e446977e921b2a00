// Makes servers that would listen on every interface listen on loopback.
import { Server } from 'node:net';

const listen = Server.prototype.listen;
Server.prototype.listen = function (...given) {
  const [port, ...rest] = given;
  const portOnly = /^\d+$/.test(String(port)) && typeof rest[0] !== 'string';
  return listen.apply(this, portOnly ? [Number(port), '127.0.0.1', ...rest] : given);
};
