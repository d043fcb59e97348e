// The page on which a student enters the code of the class and a name.

import { post } from "./api.js";
import { byId } from "./dom.js";
import { t } from "./page.js";

const form = byId("join");
const code = byId("code");
const given = new URLSearchParams(location.search).get("code");
if (given !== null) code.value = given;
(given === null ? code : byId("name")).focus();

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = byId("enter");
  button.disabled = true;
  button.textContent = t("join.joining");
  try {
    await post("/api/join", { code: code.value.trim(), name: byId("name").value.trim() });
    location.assign("/");
  } catch (error) {
    byId("error").textContent = error.message;
    button.disabled = false;
    button.textContent = t("join.enter");
    code.focus();
  }
});
