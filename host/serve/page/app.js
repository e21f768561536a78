"use strict";

const $ = (id) => document.getElementById(id);

// call asks the API. It returns the answer's object or throws what to show.
async function call(path, body) {
  const init = { method: path === "/api/me" ? "GET" : "POST" };
  if (body) {
    init.headers = { "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new Error("The server did not answer. Try again.");
  }
  let data = {};
  try {
    data = await response.json();
  } catch {
    if (response.ok) throw new Error("The answer could not be read.");
  }
  if (!response.ok) {
    const wait = response.headers.get("Retry-After");
    const hint = response.status === 429 && wait ? ` (in ${wait} s)` : "";
    throw new Error((data.message || `The server answered ${response.status}.`) + hint);
  }
  return data;
}

// list shows an object as terms and definitions; only ever as text.
function list(dl, object) {
  const rows = Object.entries(object).flatMap(([key, value]) => {
    const dt = document.createElement("dt");
    const dd = document.createElement("dd");
    dt.textContent = key;
    dd.textContent = typeof value === "string" ? value : JSON.stringify(value);
    return [dt, dd];
  });
  if (rows.length === 0) {
    const dd = document.createElement("dd");
    dd.textContent = "empty";
    rows.push(dd);
  }
  dl.replaceChildren(...rows);
}

// show loads the user and the session, and the forms that fit.
async function show(notice, focus) {
  let me;
  try {
    me = await call("/api/me");
  } catch (error) {
    $("notice").textContent = error.message;
    return;
  }
  const known = "id" in me.user || Object.keys(me.user).length > 0;
  $("anonymous").hidden = known;
  $("known").hidden = !known;
  $("session-box").hidden = false;
  list($("user"), me.user);
  list($("session"), me.session);
  document.title = known ? `${me.user.username ?? "User"} · djedge` : "djedge";
  $("notice").textContent = notice || "";
  if (focus) $(known ? "user-title" : "login-title").focus();
}

// form binds one form to one endpoint.
function form(id, path, fields, done) {
  const element = $(id);
  const error = $(`${id}-error`);
  const inputs = [...element.querySelectorAll("input:not([type=hidden])")];
  const button = element.querySelector("button");
  element.noValidate = true;

  const fail = (text, input) => {
    error.textContent = text;
    for (const each of inputs) each.removeAttribute("aria-invalid");
    if (input) {
      input.setAttribute("aria-invalid", "true");
      input.focus();
    }
  };

  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    fail("");
    const missing = inputs.find((input) => input.value === "");
    if (missing) return fail(`${missing.labels[0].textContent} is empty.`, missing);
    const { password, repeat } = element.elements;
    if (repeat && repeat.value !== password.value) return fail("The passwords are not the same.", repeat);

    const body = Object.fromEntries(fields.map((name) => [name, element.elements[name].value]));
    button.disabled = true;
    $("notice").textContent = "";
    try {
      await call(path, fields.length ? body : undefined);
      // The server has checked where it leads to.
      const next = element.elements.namedItem("next");
      if (next && (id === "login" || id === "register")) return location.assign(next.value);
      for (const each of document.forms) each.reset();
      await show(done, true);
    } catch (refusal) {
      fail(refusal.message, inputs[0]);
    } finally {
      button.disabled = false;
    }
  });
}

form("login", "/api/login", ["username", "password"], "Logged in.");
form("register", "/api/register", ["username", "password"], "Registered and logged in.");
form("change", "/api/change-password", ["password"], "Password changed. Log in with the new one.");
form("logout", "/api/logout", [], "Logged out.");
show();
