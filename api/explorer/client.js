// Talks to the server: JSON in, JSON out, every failure as a Problem (RFC 9457).

const KEY = "umbra-key";

export class Problem extends Error {
  constructor(members) {
    super(members.detail || members.title || "The request failed");
    this.members = members;
  }
}

export function keepKey(key) {
  sessionStorage.setItem(KEY, key);
}

export async function getJson(path, options) {
  return (await request(path, options)).json();
}

export async function getText(path) {
  return (await request(path)).text();
}

export async function postJson(path, body, options = {}) {
  return getJson(path, {
    ...options,
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
  });
}

const pictures = new Map();

// Pictures are fetched, not linked, so that they carry the key too. With a side they are small.
export function pictureUrl(sha256, side = null) {
  const path = `/v1/images/${encodeURIComponent(sha256)}${side ? `?side=${side}` : ""}`;
  if (!pictures.has(path)) {
    const loading = request(path)
      .then((response) => response.blob())
      .then((blob) => URL.createObjectURL(blob));
    pictures.set(path, loading);
    loading.catch(() => pictures.delete(path));
  }
  return pictures.get(path);
}

async function request(path, options = {}) {
  const headers = new Headers(options.headers);
  const key = sessionStorage.getItem(KEY);
  if (key) headers.set("Authorization", `Bearer ${key}`);
  let response;
  try {
    response = await fetch(path, { ...options, headers, credentials: "omit", redirect: "error" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "The server cannot be reached", detail: "It may have ended.", status: 0 });
  }
  if (!response.ok) {
    const members = await response.json().catch(() => ({}));
    throw new Problem({ title: `The server answered ${response.status}`, status: response.status, ...members });
  }
  return response;
}
