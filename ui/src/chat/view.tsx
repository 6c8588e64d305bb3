// The conversation on the page: as much of it as is near, from its end upwards.
import { useComputed, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../words";
import { IconButton, Spinner } from "../parts/dialog";
import { Composer } from "./composer";
import { Answer, Question } from "./message";
import { announcement, conversation, loadAbove, moreAbove, thread, threadPhase, writing } from "./thread";
import { Welcome } from "./welcome";

// Messages on the page at once; beyond them are only heights.
const SHOWN_MAX = 90;
const STEP = 30;
const NEAR_PX = 900;

/** Which messages are on the page: they follow the view, and the end unless the reader left it. */
function useWindow(scroller: { current: HTMLDivElement | null }, list: { current: HTMLDivElement | null }) {
  const total = thread.value.length;
  const [end, setEnd] = useState(Infinity); // Infinity: the end, whatever comes
  const last = Math.min(end, total);
  const first = Math.max(0, last - SHOWN_MAX);
  const anchor = useRef<{ id: string; top: number } | null>(null);
  const busy = useRef(false);

  const hold = () => {
    const frame = scroller.current!.getBoundingClientRect().top;
    for (const child of list.current!.children) {
      const top = child.getBoundingClientRect().top - frame;
      if (top > -200) {
        anchor.current = { id: (child as HTMLElement).dataset.id!, top };
        return;
      }
    }
  };
  // What was in sight stays where it was, whatever came or went above it.
  useLayoutEffect(() => {
    const held = anchor.current;
    if (!held) return;
    anchor.current = null;
    const there = list.current?.querySelector(`[data-id="${held.id}"]`);
    if (!there) return;
    const now = there.getBoundingClientRect().top - scroller.current!.getBoundingClientRect().top;
    scroller.current!.scrollTop += now - held.top;
  }, [first, last, thread.value[0]?.id]);

  const look = () => {
    const view = scroller.current!;
    if (busy.current) return;
    const below = view.scrollHeight - view.scrollTop - view.clientHeight;
    if (view.scrollTop < NEAR_PX) {
      if (first > 0) {
        hold();
        setEnd(Math.max(SHOWN_MAX, last - STEP));
      } else if (moreAbove.value) {
        busy.current = true;
        const place = (added: number) => {
          hold();
          setEnd(last + added <= SHOWN_MAX ? Infinity : Math.max(SHOWN_MAX, last + added - STEP));
        };
        void loadAbove(place).finally(() => {
          busy.current = false;
        });
      }
    } else if (below < NEAR_PX && last < total) {
      hold();
      setEnd(last + STEP >= total ? Infinity : last + STEP);
    }
  };
  return { first, last, look, toEnd: () => setEnd(Infinity), atEnd: last >= total };
}

function Thread() {
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  const [away, setAway] = useState(false);
  const { first, last, look, toEnd, atEnd } = useWindow(scroller, list);
  const id = conversation.value?.id;

  const stick = () => {
    const view = scroller.current;
    if (view && stuck.current) view.scrollTop = view.scrollHeight;
  };
  useLayoutEffect(() => {
    stuck.current = true;
    toEnd();
    stick();
  }, [id]);
  useEffect(() => {
    const grown = new ResizeObserver(stick);
    grown.observe(list.current!);
    return () => grown.disconnect();
  }, []);
  // One's own question is always followed.
  useSignalEffect(() => {
    if (writing.value) {
      stuck.current = true;
      toEnd();
      requestAnimationFrame(stick);
    }
  });
  const scrolled = () => {
    const view = scroller.current!;
    const below = view.scrollHeight - view.scrollTop - view.clientHeight;
    stuck.current = below < 60 && atEnd;
    setAway(below > 400 || !atEnd);
    look();
  };
  const shown = thread.value.slice(first, last);
  return (
    <div class="thread-frame">
      <div class="thread" ref={scroller} onScroll={scrolled} id="thread" tabIndex={-1} data-scroller>
        <div ref={list} class="thread-list">
          {shown.map((one, i) => {
            const isQuestion = one.message.peek().role === "user";
            return (
              <div key={one.id} data-id={one.id} class="turn">
                {isQuestion ? (
                  <Question one={one} answer={thread.value[first + i + 1]} />
                ) : (
                  <Answer one={one} question={thread.value[first + i - 1]} />
                )}
              </div>
            );
          })}
        </div>
      </div>
      {away && (
        <IconButton
          icon="toEnd"
          class="to-end"
          label={t("newest")}
          onClick={() => {
            stuck.current = true;
            toEnd();
            requestAnimationFrame(() => requestAnimationFrame(stick));
          }}
        />
      )}
    </div>
  );
}

export function Chat() {
  const phase = threadPhase.value;
  const said = useComputed(() => (announcement.value ? t(announcement.value) : ""));
  return (
    <div class="chat">
      {phase === "loading" && (
        <div class="thread-frame center">
          <Spinner label={t("loading")} />
        </div>
      )}
      {phase === "missing" && (
        <div class="thread-frame center">
          <p class="muted">{t("noHits", { words: location.hash.split("/").at(-1) ?? "" })}</p>
        </div>
      )}
      {phase === "new" && <Welcome />}
      {phase === "ready" && <Thread />}
      {phase !== "missing" && <Composer />}
      <div class="sr-only" aria-live="polite">
        {said}
      </div>
    </div>
  );
}
