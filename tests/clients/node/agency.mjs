// An agency's system as a client: its certificate, its tokens, and calls on services found in the descriptor set.

import { createHash, randomUUID, sign, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

import grpc from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";

const CALL_SECONDS = 20;

// Field names as in the protos, 64-bit numbers as strings, enums by name, and `frame` telling which member is set.
export function loadServices(path) {
  const options = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };
  return grpc.loadPackageDefinition(loadFileDescriptorSetFromBuffer(readFileSync(path), options)).casemesh;
}

export class Agency {
  constructor(services, gateway, { certificate, key, trust }) {
    this.services = services;
    this.gateway = gateway;
    this.certificate = new X509Certificate(readFileSync(certificate));
    this.key = readFileSync(key);
    this.credentials = grpc.credentials.createSsl(readFileSync(trust), this.key, readFileSync(certificate));
    this.stubs = new Map();
    this.token = undefined;
  }

  // One connection for all stubs of an agency: channels to the same address with the same options are shared.
  stub(domain, name) {
    const path = `${domain}.${name}`;
    if (!this.stubs.has(path)) {
      this.stubs.set(path, new this.services[domain].v1[name](this.gateway, this.credentials));
    }
    return this.stubs.get(path);
  }

  metadata() {
    const metadata = new grpc.Metadata();
    if (this.token) metadata.set("authorization", `Bearer ${this.token}`);
    // For what the caller reads: one of the purposes that docs/clients.md lists.
    metadata.set("casemesh-purpose", "handling");
    return metadata;
  }

  // A call with one answer. Every such call has a deadline; without one it is refused.
  call(domain, service, method, request) {
    const stub = this.stub(domain, service);
    return new Promise((resolve, reject) => {
      stub[method](request, this.metadata(), { deadline: Date.now() + CALL_SECONDS * 1000 }, (error, answer) =>
        error ? reject(error) : resolve(answer),
      );
    });
  }

  // A change: a fresh request id makes it repeatable.
  change(domain, service, method, request) {
    return this.call(domain, service, method, { request_id: randomUUID(), ...request });
  }

  stream(domain, service, method, ...request) {
    return this.stub(domain, service)[method](...request, this.metadata());
  }

  // A token for one of the agency's officers, whose login the system states, or for the system itself.
  async logIn(officer) {
    this.token = undefined;
    const request = officer ? { assertion: this.assertion(officer) } : {};
    this.token = (await this.call("identity", "TokenService", "IssueToken", request)).access_token;
  }

  assertion(officer) {
    const now = Math.floor(Date.now() / 1000);
    const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
    const header = { alg: "ES256", typ: "casemesh-login+jwt", x5c: [this.certificate.raw.toString("base64")] };
    const claims = {
      iss: this.certificate.subjectAltName.replace(/^URI:/, ""),
      sub: officer,
      aud: "casemesh/identity",
      iat: now,
      exp: now + 60,
      jti: randomUUID(),
      auth_time: now,
      acr: "urn:casemesh:acr:password",
    };
    const signed = `${encode(header)}.${encode(claims)}`;
    const signature = sign("sha256", Buffer.from(signed), { key: this.key, dsaEncoding: "ieee-p1363" });
    return `${signed}.${signature.toString("base64url")}`;
  }

  close() {
    for (const stub of this.stubs.values()) stub.close();
  }
}

export const sha256 = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
