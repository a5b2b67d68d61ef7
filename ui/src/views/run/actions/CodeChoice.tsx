import { useId } from "react";
import type { CodeChoice as Choice } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { sentenceOf } from "@/lib/diff/words.ts";
import styles from "./Actions.module.css";
import type { Code } from "./useRunAction.ts";

/** Which code runs again: that of the run or the latest, and how these differ. */
export function CodeChoice({
  choice,
  code,
  pick,
}: {
  choice: Choice;
  code: Code;
  pick: (code: Code) => void;
}) {
  const name = useId();
  if (!differs(choice))
    return (
      <p className={styles.code}>
        Runs the code of this run, which is the latest: version {choice.version}{" "}
        <code>{choice.bundle_version.slice(0, 12)}</code>
      </p>
    );
  return (
    <fieldset className={styles.codes}>
      <legend>Code to run</legend>
      <label className={styles.choice}>
        <input type="radio" name={name} checked={code === "run"} onChange={() => pick("run")} />
        This run’s code
        <Pin version={choice.version} bundle={choice.bundle_version} />
      </label>
      <label className={styles.choice}>
        <input
          type="radio"
          name={name}
          checked={code === "latest"}
          disabled={choice.refused !== null}
          onChange={() => pick("latest")}
        />
        Latest code
        <Pin version={choice.latest_version} bundle={choice.latest_bundle_version} />
      </label>
      {choice.images.length > 0 && (
        <p className={styles.after}>
          {choice.images.length === 1 ? "Image" : "Images"} <code>{choice.images.join(", ")}</code>:
          this run’s code keeps the digest that the run first used; the latest code uses what the
          tag stands for now.
        </p>
      )}
      {choice.refused && <p className={styles.after}>Not with the latest: {choice.refused}.</p>}
      <Differences choice={choice} />
    </fieldset>
  );
}

function Pin({ version, bundle }: { version: number; bundle: string }) {
  return (
    <span className={styles.pin}>
      version {version} <code>{bundle.slice(0, 12)}</code>
    </span>
  );
}

function Differences({ choice }: { choice: Choice }) {
  const count = choice.files.length + choice.more_files;
  return (
    <details className={styles.differences} open={count + choice.tasks.length <= 12}>
      <summary>
        Changed since this run:{" "}
        {[
          ...(count > 0 ? [counted(count, "file")] : []),
          ...(choice.tasks.length > 0 ? [counted(choice.tasks.length, "setting")] : []),
        ].join(", ") || "nothing"}
      </summary>
      <ul className={styles.points} aria-label="Differences">
        {choice.files.map(({ file, change }) => (
          <li key={file}>
            <code>{file}</code> {change}
          </li>
        ))}
        {choice.more_files > 0 && <li>and {counted(choice.more_files, "more file")}</li>}
        {choice.tasks.map((change) => {
          const { subject, words } = sentenceOf(change);
          return (
            <li key={`${change.what} ${change.path}`}>
              <code>{subject}</code> {words}
              {change.what === "task removed" && "; its history stays"}
            </li>
          );
        })}
      </ul>
    </details>
  );
}

function differs(choice: Choice) {
  return (
    choice.version !== choice.latest_version ||
    choice.bundle_version !== choice.latest_bundle_version ||
    choice.images.length > 0
  );
}
