// A trail's page: checks every event on it against a checkpoint whose signature this browser checked.
import { bytesOf, openCheckpoint, verifierKey, verifyEvents } from "./verification.js";
import { ask, outcome, whenAsked, words } from "./asking.js";

const AT_ONCE = 50;
const panel = document.getElementById("trail-verification");
const list = panel.querySelector("ol");
const caseName = panel.dataset.case;

function events() {
  return Array.from(document.querySelectorAll("[data-index]"), (row) => ({
    index: Number(row.dataset.index),
    sequence: Number(row.dataset.sequence),
    salt: bytesOf(row.dataset.salt),
    canonical: bytesOf(row.dataset.canonical),
  }));
}

async function proofsOf(found, size) {
  const proofs = [];
  for (let at = 0; at < found.length; at += AT_ONCE) {
    const asked = found.slice(at, at + AT_ONCE).map((event) => `index=${event.index}`);
    const answer = await ask(`/log/inclusion.json?size=${size}&${asked.join("&")}`);
    proofs.push(...answer.proofs.map(({ hashes, leaf }) => ({ hashes: hashes.map(bytesOf), leaf: bytesOf(leaf) })));
  }
  return proofs;
}

async function verify() {
  const stated = await ask("/log/checkpoint.json");
  const trusted = stated.source === "platform" ? ((await ask(`/${caseName}/trail/key.json`)) ?? stated) : stated;
  const head = await openCheckpoint(stated.note, await verifierKey(trusted.key));
  outcome(list, true, words("signature_holds", { log: head.origin, size: head.size }));
  const isTrusted = trusted.source !== "platform";
  outcome(list, isTrusted, words({ profile: "key_pinned", roots: "key_certified", platform: "key_stated" }[trusted.source]), !isTrusted);
  const found = events();
  const textless = await verifyEvents(found, await proofsOf(found, head.size), head, caseName);
  outcome(list, true, words("events_hold", { count: found.length, first: found[0].sequence, last: found.at(-1).sequence }));
  if (textless) outcome(list, false, words("textless", { count: textless }), true);
}

whenAsked(panel, verify);
