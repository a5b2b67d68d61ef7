import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Send } from "lucide-react";
import { useState } from "react";
import { asset } from "@/api/queries.ts";
import type { AssetDetail } from "@/api/types.ts";
import { nameOf } from "@/lib/assets.ts";
import { AffectedDags } from "@/parts/AffectedDags.tsx";
import { Button } from "@/parts/Button.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { AssetLink, DagLink } from "@/parts/links.tsx";
import { Card, Page, PageBody } from "@/parts/Page.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { useMay } from "@/state/session.ts";
import { AssetEvents } from "./AssetEvents.tsx";
import { AssetPartitions } from "./AssetPartitions.tsx";
import styles from "./Assets.module.css";
import { EmitDialog } from "./EmitDialog.tsx";
import { isForeign } from "./producers.ts";
import { Waiters } from "./Waiters.tsx";
import { Watchers } from "./Watchers.tsx";

const route = getRouteApi("/t/$team/assets/detail");

/** One asset: its events, who waits for it and what they still miss, and who is late if it is. */
export function AssetPage() {
  const { asset: name } = route.useSearch();
  const [emitting, setEmitting] = useState(false);
  const found = useQuery(asset(name));
  const mayEmit = useMay("asset.emit") && !isForeign(name);
  return (
    <Page
      title={nameOf(name)}
      note={found.data && <Note asset={found.data.asset} />}
      actions={
        mayEmit &&
        found.data && (
          <Button onClick={() => setEmitting(true)}>
            <Send size={14} aria-hidden />
            Report event…
          </Button>
        )
      }
    >
      <PageBody>
        {found.isPending ? (
          <SkeletonRows count={6} />
        ) : !found.data ? (
          <ErrorState error={found.error} what="The asset" retry={() => found.refetch()} />
        ) : (
          <div className={styles.cards}>
            <div className={styles.column}>
              <AssetEvents name={name} outside={!isForeign(name)} />
              <Facts detail={found.data} />
            </div>
            <div className={styles.column}>
              <AssetPartitions name={name} />
              <Waiters detail={found.data} />
              {found.data.asset.alias === null && !isForeign(name) && (
                <Watchers detail={found.data} />
              )}
            </div>
          </div>
        )}
      </PageBody>
      {emitting && <EmitDialog name={name} close={() => setEmitting(false)} />}
    </Page>
  );
}

function Note({ asset: { name, uri, last_event_at } }: { asset: AssetDetail["asset"] }) {
  return (
    <>
      {uri && uri !== name && <>{uri} · </>}
      {last_event_at ? (
        <>
          last event <RelativeTime at={last_event_at} />
        </>
      ) : (
        "no event yet"
      )}
    </>
  );
}

/** Who updates and reads it, and whom to tell if it is late. */
function Facts({ detail }: Props) {
  const { asset, affected, affected_total, affected_owners } = detail;
  const extra = JSON.stringify(asset.extra);
  const outside = asset.alias === null ? "no task; its events come from outside" : "no task";
  return (
    <Card title={asset.alias === null ? "About this asset" : "About this alias"}>
      <dl className={styles.facts}>
        {asset.alias !== null && <Assets detail={detail} />}
        {(asset.aliases ?? []).length > 0 && (
          <div>
            <dt>Added through</dt>
            {asset.aliases?.map((alias) => (
              <dd key={alias}>
                <AssetLink asset={`@alias:${alias}`} />
              </dd>
            ))}
          </div>
        )}
        <div>
          <dt>Updated by</dt>
          <dd>{asset.producers.length === 0 ? outside : null}</dd>
          {asset.producers.map((task) => (
            <Task key={`${task.dag_id} ${task.task_id}`} {...task} />
          ))}
        </div>
        {asset.readers.length > 0 && (
          <div>
            <dt>Read by</dt>
            {asset.readers.map((task) => (
              <Task key={`${task.dag_id} ${task.task_id}`} {...task} />
            ))}
          </div>
        )}
        {(asset.awaiters ?? []).length > 0 && (
          <div>
            <dt>Awaited by</dt>
            {asset.awaiters?.map((task) => (
              <Task key={`${task.dag_id} ${task.task_id}`} {...task} />
            ))}
          </div>
        )}
        <div>
          <dt>If it is late</dt>
          <dd>
            <AffectedDags dags={affected} total={affected_total} owners={affected_owners} />
          </dd>
        </div>
        {extra !== "{}" && (
          <div>
            <dt>Extra</dt>
            <dd>
              <code>{extra}</code>
            </dd>
          </div>
        )}
      </dl>
    </Card>
  );
}

interface Props {
  detail: AssetDetail;
}

/** The assets that tasks have added through an alias, and the last one that it did not take. */
function Assets({ detail: { assets, assets_total, refused } }: Props) {
  return (
    <div>
      <dt>Its assets</dt>
      {assets.length === 0 && <dd>none: no task has added one yet</dd>}
      {assets.map((asset) => (
        <dd key={asset}>
          <AssetLink asset={asset} />
        </dd>
      ))}
      {assets_total > assets.length && (
        <dd className={styles.quiet}>and {assets_total - assets.length} more</dd>
      )}
      {refused !== null && <dd>not taken: {refused}</dd>}
    </div>
  );
}

function Task({ dag_id, task_id, owner }: AssetDetail["asset"]["producers"][number]) {
  return (
    <dd>
      <DagLink dag={dag_id} /> <span className={styles.quiet}>task</span> <code>{task_id}</code>
      {owner && <span className={styles.quiet}> · owner {owner}</span>}
    </dd>
  );
}
