import { CopyButton } from "@/parts/CopyText.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import styles from "./Admin.module.css";

/** Something that is shown once. */
export function Secret({
  title,
  text,
  note,
  close,
}: {
  title: string;
  text: string;
  note: string;
  close: () => void;
}) {
  return (
    <Dialog title={title} close={close}>
      <div className={styles.secret}>
        <p>{note}</p>
        <code>{text}</code>
        <div>
          <CopyButton text={text} />
        </div>
      </div>
    </Dialog>
  );
}
