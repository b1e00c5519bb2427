// Passkeys: browsers hand them to scripts only. Everything else here works without this file.
"use strict";

(() => {
  const form = document.querySelector("form[data-passkey]");
  if (!form) return;
  const say = (text) => {
    form.querySelector("[data-passkey-says]").textContent = text;
  };
  if (!window.PublicKeyCredential) {
    say("This browser knows no passkeys.");
    return;
  }

  const toBytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const toText = (bytes) =>
    btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const read = (text) => {
    const asked = JSON.parse(text);
    const named = (list) => (list || []).map((each) => ({ ...each, id: toBytes(each.id) }));
    asked.challenge = toBytes(asked.challenge);
    if (asked.user) asked.user.id = toBytes(asked.user.id);
    if (asked.excludeCredentials) asked.excludeCredentials = named(asked.excludeCredentials);
    if (asked.allowCredentials) asked.allowCredentials = named(asked.allowCredentials);
    return asked;
  };

  const write = (found) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (found.response[name]) response[name] = toText(found.response[name]);
    }
    return JSON.stringify({ id: found.id, rawId: toText(found.rawId), type: found.type, response });
  };

  const ask = async () => {
    say("Your device asks you now.");
    const publicKey = read(form.dataset.passkeyOptions);
    const make = form.dataset.passkey === "create";
    try {
      const container = navigator.credentials;
      form.elements.answer.value = write(await (make ? container.create({ publicKey }) : container.get({ publicKey })));
    } catch (error) {
      say(
        error.name === "InvalidStateError"
          ? "This device has a passkey of your account already."
          : "Nothing came of it. Try again, or go on in another way."
      );
      return;
    }
    say("One moment.");
    form.submit();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  if ("passkeyNow" in form.dataset) ask();
})();
