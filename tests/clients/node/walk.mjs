// One case from the police to the procuratorate, through the gateway:
//
//     node walk.mjs setting.json
//
// The setting names the gateway, the descriptor set, both agencies' files and officers, and the node. What came of it is printed
// as JSON. Any failure ends the program with a message.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

import { Agency, loadServices, sha256 } from "./agency.mjs";

const CHUNK_BYTES = 256 * 1024;

const setting = JSON.parse(readFileSync(process.argv[2], "utf8"));
const services = loadServices(setting.descriptors);
const police = new Agency(services, setting.gateway, setting.police);
const procuratorate = new Agency(services, setting.gateway, setting.procuratorate);

// Documents of invented content; their digests are what the recipient must find again.
const documents = [300_000, 1, 700_000].map((size, index) => ({
  index,
  bytes: Buffer.alloc(size, `document ${index}, invented. `),
  fileName: `讯问笔录${index}.pdf`,
}));

// The Merkle root over the documents' digests in order (RFC 6962).
function treeHash(digests) {
  if (digests.length === 1) return sha256(Buffer.of(0), digests[0]);
  let half = 1;
  while (half * 2 < digests.length) half *= 2;
  return sha256(Buffer.of(1), treeHash(digests.slice(0, half)), treeHash(digests.slice(half)));
}

function* uploadFrames() {
  for (const { index, bytes, fileName } of documents) {
    const header = { document_index: index, volume: "证据卷一", file_name: fileName, media_type: "application/pdf" };
    yield { header: { ...header, page_count: 1, size_bytes: bytes.length } };
    for (let offset = 0; offset < bytes.length; offset += CHUNK_BYTES) {
      const data = bytes.subarray(offset, offset + CHUNK_BYTES);
      yield { chunk: { document_index: index, offset_bytes: offset, data } };
    }
    yield { document_finish: { document_index: index, size_bytes: bytes.length, sha256: sha256(bytes) } };
  }
  const size = documents.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const root = treeHash(documents.map(({ bytes }) => sha256(bytes)));
  yield { upload_finish: { document_count: documents.length, size_bytes: size, tree_hash: root } };
}

// Sends everything on one stream and waits until the service says that it holds it. Half-closing comes after that: the end of a
// stream without a finish means paused.
function upload(dossier) {
  const stream = police.stream("dossier", "DossierService", "UploadDocuments");
  return new Promise((resolve, reject) => {
    stream.on("error", reject);
    stream.on("data", (answer) => {
      if (answer.notice === "error") reject(new Error(`upload: ${answer.error.message}`));
      if (answer.notice === "finished") {
        stream.end();
        resolve(answer.finished);
      }
    });
    stream.write({ open: { dossier, upload_id: randomUUID() } });
    for (const frame of uploadFrames()) stream.write({ frames: [frame] });
  });
}

// Takes one delivery from the stream, acknowledges it, and waits for the confirmation.
function receiveOne() {
  const stream = procuratorate.stream("routing", "ExchangeService", "Receive");
  return new Promise((resolve, reject) => {
    let delivery;
    stream.on("error", reject);
    stream.on("data", (answer) => {
      if (answer.notice === "delivery") {
        delivery = answer.delivery;
        stream.write({ acknowledge: delivery.name });
      }
      if (answer.notice === "acknowledged" && answer.acknowledged === delivery.name) {
        stream.end();
        resolve(delivery);
      }
    });
    stream.write({ open: { max_outstanding: 1 } });
  });
}

async function download(version) {
  const parts = new Map();
  let current;
  let finished = false;
  const request = { version };
  for await (const { frames } of procuratorate.stream("dossier", "DossierReadService", "DownloadDocuments", request)) {
    for (const { frame, header, chunk } of frames) {
      if (frame === "header") parts.set((current = header.document_index), []);
      if (frame === "chunk") parts.get(current).push(chunk.data);
      if (frame === "finish") finished = true;
    }
  }
  if (!finished) throw new Error("the download broke off");
  return new Map([...parts].map(([index, chunks]) => [index, sha256(...chunks).toString("hex")]));
}

await police.logIn(setting.police.officer);
const party = { kind: "PARTY_KIND_PERSON", display_name: "某甲" };
const registration = { title: "某甲盗窃案", parties: [party] };
const { case: registered } = await police.change("routing", "CaseService", "RegisterCase", registration);
const draft = { case: registered.name, title: "盗窃案卷宗" };
const { dossier } = await police.change("dossier", "DossierService", "CreateDossier", draft);
const uploaded = await upload(dossier.name);
const { version } = await police.change("dossier", "DossierService", "FinalizeDossier", {
  dossier: dossier.name,
  document_count: uploaded.document_count,
  page_count: uploaded.page_count,
  size_bytes: uploaded.size_bytes,
});
const { exchange } = await police.change("routing", "ExchangeService", "SubmitExchange", {
  case: registered.name,
  node: setting.node,
  recipient: setting.procuratorate.agency,
  parties: registered.parties.map(({ name }) => name),
  dossier_version: version.name,
});

await procuratorate.logIn();
const delivery = await receiveOne();
const assignment = { case: registered.name, officer: setting.procuratorate.officer };
await procuratorate.change("identity", "AccessAdminService", "AssignOfficer", assignment);
await procuratorate.logIn(setting.procuratorate.officer);
const taken = { exchange: delivery.exchange.name };
const { exchange: accepted } = await procuratorate.change("routing", "ExchangeService", "AcceptExchange", taken);
const found = await download(version.name);
for (const { index, bytes } of documents) {
  const expected = sha256(bytes).toString("hex");
  if (found.get(index) !== expected) throw new Error(`document ${index} arrived as ${found.get(index)}`);
}
police.close();
procuratorate.close();
console.log(
  JSON.stringify({
    submitted: exchange.name,
    delivered: delivery.exchange.name,
    state: accepted.state,
    verified_documents: found.size,
  }),
);
