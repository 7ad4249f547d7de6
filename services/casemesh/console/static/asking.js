// What the pages with proofs share: asking this console, and saying what was found. Sentences stand in the page itself.
import { VerificationError } from "./verification.js";

export async function ask(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

/** The sentence `key` of the page's list of sentences, with `{name}` replaced. */
export function words(key, values = {}) {
  const sentences = document.getElementById("verification-words");
  const sentence = (sentences.querySelector(`[data-key="${key}"]`) ?? sentences.querySelector('[data-key="failed"]'))
    .textContent;
  return sentence.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** Adds a line to a list of findings: what holds, what does not, or what only a person can judge. */
export function outcome(list, holds, text, isDoubtful = false) {
  const line = document.createElement("li");
  line.className = isDoubtful ? "doubt" : holds ? "holds" : "fails";
  line.textContent = text;
  list.append(line);
}

/** Runs `verify` when the panel's button is pressed; what it throws is the last finding. */
export function whenAsked(panel, verify) {
  const [button, list] = [panel.querySelector("button"), panel.querySelector("ol")];
  button.addEventListener("click", async () => {
    button.disabled = true;
    list.replaceChildren();
    panel.dataset.state = "working";
    try {
      await verify();
      panel.dataset.state = "done";
    } catch (error) {
      outcome(list, false, words(error instanceof VerificationError ? error.code : "failed"));
      panel.dataset.state = "failed";
    } finally {
      button.disabled = false;
      list.focus();
    }
  });
  button.hidden = false;
}
