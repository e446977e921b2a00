// Asks for a challenge, lets the authenticator answer it, and brings the answer back. It decides nothing.
(() => {
  const written = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replaceAll('=', '');
  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (each) => each.charCodeAt(0));
  const form = document.querySelector('form');
  const told = document.querySelector('[role=status]');
  const at = form.getAttribute('action');

  async function post(path, body) {
    const answer = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const said = await answer.json();
    if (!answer.ok) throw new Error(`${said.error.reason}: ${said.error.remedy}`);
    return said;
  }

  async function register(code) {
    const asked = await post(`${at}/options`, { code });
    const made = await navigator.credentials.create({
      publicKey: {
        challenge: bytes(asked.challenge),
        rp: { id: asked.party, name: 'Ringwall' },
        user: { id: bytes(asked.user), name: asked.name, displayName: asked.name },
        pubKeyCredParams: asked.algorithms.map((alg) => ({ type: 'public-key', alg })),
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
        attestation: 'none',
      },
    });
    return post(at, {
      code,
      sealed: asked.sealed,
      client_data: written(made.response.clientDataJSON),
      attestation: written(made.response.attestationObject),
    });
  }

  async function use() {
    const asked = await post(`${at}/options`, {});
    const used = await navigator.credentials.get({
      publicKey: {
        challenge: bytes(asked.challenge),
        rpId: asked.party,
        allowCredentials: [{ type: 'public-key', id: bytes(asked.id) }],
        userVerification: 'required',
      },
    });
    return post(at, {
      sealed: asked.sealed,
      id: written(used.rawId),
      client_data: written(used.response.clientDataJSON),
      authenticator_data: written(used.response.authenticatorData),
      signature: written(used.response.signature),
    });
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    told.textContent = 'Waiting for the passkey.';
    try {
      const code = form.elements.namedItem('code');
      const done = code ? await register(code.value) : await use();
      location.assign(done.to);
    } catch (error) {
      told.textContent = `Not done. ${error.message}`;
    }
  });
})();
