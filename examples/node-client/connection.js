// How the server is reached: a unix socket, plain text, or TLS when CONNECTORY_CLIENT_CA names an authority.
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createGrpcTransport } from "@connectrpc/connect-node";

export function transportTo(address) {
  const authority = process.env.CONNECTORY_CLIENT_CA;
  if (address.startsWith("unix:")) {
    const path = address.slice("unix:".length);
    return createGrpcTransport({
      baseUrl: "http://localhost",
      nodeOptions: { createConnection: () => connect(path) },
    });
  }
  return createGrpcTransport({
    baseUrl: `${authority ? "https" : "http"}://${address}`,
    nodeOptions: authority ? { ca: readFileSync(authority) } : {},
    interceptors: authority && process.env.CONNECTORY_TOKEN ? [withToken(process.env.CONNECTORY_TOKEN)] : [],
  });
}

// The token is sent over TLS only.
function withToken(token) {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}
