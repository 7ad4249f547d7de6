// The log's page: checks the checkpoint's signature, and that the log goes on from what this browser saw before.
import { VerificationError, bytesOf, openCheckpoint, verifierKey, verifyConsistency } from "./verification.js";
import { ask, outcome, whenAsked, words } from "./asking.js";

const panel = document.getElementById("log-verification");
const list = panel.querySelector("ol");
const given = panel.querySelector("input");

function remembered(origin) {
  try {
    return JSON.parse(localStorage.getItem(`casemesh-log ${origin}`));
  } catch {
    return null;
  }
}

async function verify() {
  const { note, key, source } = await ask("/log/checkpoint.json");
  const chosen = given.value.trim() || key;
  const log = await verifierKey(chosen);
  const head = await openCheckpoint(note, log);
  outcome(list, true, words("signature_holds", { log: head.origin, size: head.size }));
  const isTrusted = source !== "platform" || Boolean(given.value.trim());
  outcome(list, isTrusted, words(isTrusted ? (given.value.trim() ? "key_given" : "key_pinned") : "key_stated"), !isTrusted);
  // Under a key that only the platform states there is nothing to hold against another day's log.
  if (!isTrusted) return;
  const before = remembered(`${head.origin} ${log.id}`);
  if (before) {
    const seen = { size: before.size, time: new Date(before.time).toLocaleString(document.documentElement.lang) };
    if (head.size < before.size) throw new VerificationError("shrunk");
    const proof =
      head.size === before.size || before.size === 0
        ? []
        : (await ask(`/log/consistency.json?first=${before.size}&second=${head.size}`)).proof.map(bytesOf);
    if (before.size > 0) await verifyConsistency(before.size, head.size, proof, bytesOf(before.root), head.root);
    outcome(list, true, words("continues", seen));
  } else {
    outcome(list, true, words("first_seen"));
  }
  const root = btoa(String.fromCharCode(...head.root));
  localStorage.setItem(
    `casemesh-log ${head.origin} ${log.id}`,
    JSON.stringify({ size: head.size, root, time: Date.now() }),
  );
}

whenAsked(panel, verify);
