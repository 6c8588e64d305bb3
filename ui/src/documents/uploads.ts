// Files on their way to the server: a few at a time, with their progress.
import { signal } from "@preact/signals";
import { csrf, detailOf, segment } from "../server/http";
import { notify } from "../state/notices";
import { collection } from "../state/preferences";
import { t } from "../words";
import { added } from "./library";

const AT_ONCE = 2;

export interface UploadItem {
  key: number;
  file: File;
  collection: string;
  state: "waiting" | "sending" | "failed";
  sent: number; // of 1
  error: string;
}

export const uploads = signal<UploadItem[]>([]);
let last = 0;

export function addFiles(files: File[], into = collection.value) {
  const fresh = files.map<UploadItem>((file) => ({
    key: ++last,
    file,
    collection: into,
    state: "waiting",
    sent: 0,
    error: "",
  }));
  uploads.value = [...uploads.value, ...fresh];
  pump();
}

function change(key: number, to: Partial<UploadItem>) {
  uploads.value = uploads.value.map((one) => (one.key === key ? { ...one, ...to } : one));
}

export function forgetUpload(key: number) {
  uploads.value = uploads.value.filter((one) => one.key !== key);
}

export function retryUpload(key: number) {
  change(key, { state: "waiting", error: "", sent: 0 });
  pump();
}

function pump() {
  const sending = uploads.value.filter((one) => one.state === "sending").length;
  const next = uploads.value.filter((one) => one.state === "waiting").slice(0, AT_ONCE - sending);
  for (const one of next) void run(one);
}

export interface Uploaded {
  id: string;
  existing?: boolean;
}

/** One file; fetch cannot tell how much has left, so this is the older interface. */
export function send(file: File, into: string, progress: (share: number) => void): Promise<Uploaded> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/upload?collection=${segment(into)}`);
    if (csrf.value) request.setRequestHeader("X-CSRF-Token", csrf.value);
    request.upload.onprogress = (event) => progress(event.loaded / event.total);
    request.onerror = () => reject(new Error(t("offline")));
    request.onload = () => {
      let body = null;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        // Told below by the status.
      }
      if (request.status === 202 || request.status === 200) resolve(body);
      else reject(new Error(detailOf(request.status, body)));
    };
    const form = new FormData();
    // Some systems do not know the type of a PDF file.
    const isPdf = /\.pdf$/i.test(file.name);
    form.append("file", isPdf && !file.type ? new File([file], file.name, { type: "application/pdf" }) : file);
    request.send(form);
  });
}

async function run(one: UploadItem) {
  change(one.key, { state: "sending" });
  try {
    const reply = await send(one.file, one.collection, (sent) => change(one.key, { sent }));
    if (reply.existing) notify(t("existing", { name: one.file.name }));
    forgetUpload(one.key);
    await added(reply.id);
  } catch (error) {
    change(one.key, { state: "failed", error: (error as Error).message });
  }
  pump();
}

/** A document that failed is read once more: its bytes are at the server. */
export async function readAgain(id: string, name: string, into: string) {
  const file = await (await fetch(`/documents/${id}/file`)).blob();
  addFiles([new File([file], name, { type: file.type || "application/pdf" })], into);
}
