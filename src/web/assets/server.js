// Talking to the server.

import { $, room } from "./dom.js";
import { toast } from "./toast.js";

const pageToken = $('meta[name="orderly-token"]').content;

// Names this tab, so that a form opens where it was asked for.
export const tab = Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");

let keys = 0;

// Names one act: sent twice, it is done once.
export const newKey = () => `${tab}-${++keys}`;

export const here = (id = room) => `/api/rooms/${encodeURIComponent(id)}`;

export class Refusal extends Error {
  constructor(status, answer) {
    super(answer?.error ?? answer?.message?.fallback ?? "The server gave no answer. Nothing you wrote is lost; try again.");
    this.status = status;
    this.field = answer?.field;
  }
}

export async function call(method, path, data, headers = {}) {
  const sent = data instanceof Blob ? data : data === undefined ? undefined : JSON.stringify(data);
  const type = data instanceof Blob ? data.type || "application/octet-stream" : "application/json";
  let response;
  try {
    response = await fetch(path, {
      method,
      body: sent,
      headers: { "content-type": type, "x-orderly-token": pageToken, "x-orderly-tab": tab, ...headers },
    });
  } catch {
    throw new Refusal(0);
  }
  const json = (response.headers.get("content-type") ?? "").startsWith("application/json");
  const answer = json ? await response.json() : await response.text();
  if (!response.ok) throw new Refusal(response.status, json ? answer : undefined);
  return { status: response.status, answer };
}

// Does something; when it is refused, says why and answers null.
export const attempt = async (work) => {
  try {
    return await work();
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    toast(problem.message, true);
    return null;
  }
};
