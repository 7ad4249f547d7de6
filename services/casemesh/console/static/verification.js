// Checks the audit log with this browser's own cryptography. Pure: no page, no network.
//
// Source: RFC 9162, section 2.1 (Merkle trees); C2SP signed-note and tlog-checkpoint; RFC 8032 (Ed25519).

const HASH_BYTES = 32;
const ED25519_NOTE = 1;
const encoder = new TextEncoder();

/** What was checked does not hold; `code` names the sentence, without anything of the case. */
export class VerificationError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** Bytes of standard base64 in its one spelling. */
export function bytesOf(text) {
  let binary;
  try {
    binary = atob(text);
  } catch {
    throw new VerificationError("encoding");
  }
  if (btoa(binary) !== text) throw new VerificationError("encoding");
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

export function hexOf(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function bytesOfHex(text) {
  if (typeof text !== "string" || !/^([0-9a-f]{2})*$/.test(text)) throw new VerificationError("encoding");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function same(left, right) {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
}

export const leafHash = (entry) => sha256(Uint8Array.of(0), entry);
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

/** The log's entry for an event: SHA-256 of its 32 bytes of salt and its canonical JSON. */
export async function commitmentOf(salt, canonicalEvent) {
  if (salt.length !== HASH_BYTES) throw new VerificationError("salt");
  return sha256(salt, canonicalEvent);
}

// Sizes go beyond 32 bits, where JavaScript's own bit operations end.
const bit = (number, place) => (number >> BigInt(place)) & 1n;
const bitLength = (number) => (number === 0n ? 0 : number.toString(2).length);
const bitCount = (number) => number.toString(2).replaceAll("0", "").length;

/** Resolves only if `proof` leads from the leaf hash `leaf` at `index` to `root` over `size` entries. */
export async function verifyInclusion(index, size, leaf, proof, root) {
  [index, size] = [BigInt(index), BigInt(size)];
  if (index < 0n || index >= size) throw new VerificationError("index");
  const inner = bitLength(index ^ (size - 1n));
  const border = bitCount(index >> BigInt(inner));
  if (proof.length !== inner + border || [leaf, ...proof].some((hash) => hash.length !== HASH_BYTES)) {
    throw new VerificationError("proof_length");
  }
  let reached = leaf;
  for (let level = 0; level < inner; level += 1) {
    reached = bit(index, level) ? await nodeHash(proof[level], reached) : await nodeHash(reached, proof[level]);
  }
  for (const left of proof.slice(inner)) reached = await nodeHash(left, reached);
  if (!same(reached, root)) throw new VerificationError("not_in_log");
}

/** Resolves only if `proof` shows that the tree of `oldRoot` is a prefix of the tree of `newRoot`. */
export async function verifyConsistency(oldSize, newSize, proof, oldRoot, newRoot) {
  [oldSize, newSize] = [BigInt(oldSize), BigInt(newSize)];
  if (oldSize <= 0n || oldSize > newSize) throw new VerificationError("shrunk");
  if (oldSize === newSize) {
    if (proof.length || !same(oldRoot, newRoot)) throw new VerificationError("two_roots");
    return;
  }
  const shift = bitLength(oldSize & -oldSize) - 1;
  const whole = oldSize === 1n << BigInt(shift);
  const [seed, ...rest] = whole ? [oldRoot, ...proof] : proof;
  const index = (oldSize - 1n) >> BigInt(shift);
  const inner = bitLength(index ^ ((newSize - 1n) >> BigInt(shift)));
  const border = bitCount(index >> BigInt(inner));
  if (!seed || rest.length !== inner + border || [seed, ...rest].some((hash) => hash.length !== HASH_BYTES)) {
    throw new VerificationError("proof_length");
  }
  let [before, after] = [seed, seed];
  for (let level = 0; level < inner; level += 1) {
    if (bit(index, level)) {
      before = await nodeHash(rest[level], before);
      after = await nodeHash(rest[level], after);
    } else {
      after = await nodeHash(after, rest[level]);
    }
  }
  for (const left of rest.slice(inner)) {
    before = await nodeHash(left, before);
    after = await nodeHash(left, after);
  }
  if (!same(before, oldRoot) || !same(after, newRoot)) throw new VerificationError("not_continued");
}

/** A note's verifier key, `name+hash+base64`: its name, its id and the key for WebCrypto. */
export async function verifierKey(text) {
  const [name, id, ...rest] = text.trim().split("+");
  const encoded = bytesOf(rest.join("+"));
  if (!name || encoded.length !== 1 + HASH_BYTES || encoded[0] !== ED25519_NOTE) throw new VerificationError("key");
  const expected = hexOf((await sha256(encoder.encode(`${name}\n`), encoded)).slice(0, 4));
  if (id !== expected) throw new VerificationError("key");
  let key;
  try {
    key = await crypto.subtle.importKey("raw", encoded.slice(1), { name: "Ed25519" }, false, ["verify"]);
  } catch {
    throw new VerificationError("no_ed25519");
  }
  return { name, id, key };
}

/** The tree head in a signed note, only if `log` (of `verifierKey`) signed it under its own name. */
export async function openCheckpoint(note, log) {
  const at = note.lastIndexOf("\n\n");
  if (at < 0 || !note.endsWith("\n")) throw new VerificationError("note");
  const text = note.slice(0, at + 1);
  let signed = false;
  for (const line of note.slice(at + 2, -1).split("\n")) {
    const found = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line);
    if (!found) throw new VerificationError("note");
    const signature = bytesOf(found[2]);
    if (found[1] !== log.name || hexOf(signature.slice(0, 4)) !== log.id || signed) continue;
    signed = await crypto.subtle.verify("Ed25519", log.key, signature.slice(4), encoder.encode(text));
    if (!signed) throw new VerificationError("signature");
  }
  if (!signed) throw new VerificationError("unsigned");
  const [origin, size, root] = text.split("\n");
  if (origin !== log.name || !/^(0|[1-9][0-9]*)$/.test(size)) throw new VerificationError("note");
  const rootBytes = bytesOf(root);
  if (rootBytes.length !== HASH_BYTES) throw new VerificationError("note");
  return { origin, size: Number(size), root: rootBytes };
}

/**
 * Resolves only if the events stand in the log under `head`, each where it says, in one case, numbered without a gap, each
 * naming the commitment of the one before; to how many of them have no text. `events` are {index, sequence, salt, canonical},
 * `proofs` {hashes, leaf} in their order. Of an event without a text (it was shredded) its place is checked, by `leaf`.
 */
export async function verifyEvents(events, proofs, head, caseName) {
  let before = null;
  let textless = 0;
  for (const [at, event] of events.entries()) {
    const { hashes, leaf: stated } = proofs[at];
    let leaf = stated;
    if (event.canonical.length) {
      leaf = await leafHash(await commitmentOf(event.salt, event.canonical));
      const told = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(event.canonical));
      if (told.case !== caseName || told.case_sequence !== event.sequence) throw new VerificationError("other_place");
      if (event.sequence === 1 && told.previous !== null) throw new VerificationError("chain");
      // By leaf hash, since of an event without a text nothing else is known.
      if (before && !same(await leafHash(bytesOfHex(told.previous)), before.leaf)) throw new VerificationError("chain");
    } else {
      textless += 1;
    }
    if (before && (event.sequence !== before.event.sequence + 1 || event.index <= before.event.index)) {
      throw new VerificationError("gap");
    }
    await verifyInclusion(event.index, head.size, leaf, hashes, head.root);
    before = { event, leaf };
  }
  return textless;
}
