//! A pipeline: one thread reads, all cores work, and the results are taken in the order of reading.

use std::{
    num::NonZero,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

/// Most threads that work. More would wait for the two that read and take, and each remembers
/// values of its own.
const MAX_WORKERS: usize = 4;

/// Hands what `read` gives to workers in turn and what they make of it to `take`, in the order of
/// reading. `worker` makes the function of one worker, which may keep state of its own. `take`
/// runs on the calling thread; a few items per worker wait at most.
///
/// # Errors
/// The first error of `read` or `take` in the order of reading; it ends the pipeline.
pub fn in_order<T: Send, U: Send, E: Send, W: FnMut(T) -> U>(
    read: impl FnMut() -> Result<Option<T>, E> + Send,
    worker: impl Fn() -> W + Sync,
    mut take: impl FnMut(U) -> Result<(), E>,
) -> Result<(), E> {
    let n_workers = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_WORKERS);
    let worker = &worker;
    thread::scope(|scope| {
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for _ in 0..n_workers {
            let (input, items) = sync_channel(1);
            let (results, output) = sync_channel(1);
            scope.spawn(move || work(worker(), &items, &results));
            inputs.push(input);
            outputs.push(output);
        }
        scope.spawn(move || deal(read, &inputs));
        for output in outputs.iter().cycle() {
            // Items are dealt in turn, so where none comes, none follows either.
            let Ok(result) = output.recv() else { break };
            take(result?)?;
        }
        Ok(())
    })
}

fn work<T, U, E>(
    mut work: impl FnMut(T) -> U,
    items: &Receiver<Result<T, E>>,
    results: &SyncSender<Result<U, E>>,
) {
    for item in items {
        if results.send(item.map(&mut work)).is_err() {
            break;
        }
    }
}

/// Deals items to the workers in turn until they end, one is an error, or nobody takes them.
fn deal<T, E>(
    mut read: impl FnMut() -> Result<Option<T>, E>,
    workers: &[SyncSender<Result<T, E>>],
) {
    for worker in workers.iter().cycle() {
        let Some(item) = read().transpose() else { break };
        let is_last = item.is_err();
        if worker.send(item).is_err() || is_last {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Squares of `0..n`, where reading `n` fails, in the order in which they are taken.
    fn squares(n: u64, take: impl Fn(u64) -> Result<(), u64>) -> (Vec<u64>, Result<(), u64>) {
        let mut numbers = 0..;
        let read = || numbers.next().filter(|next| *next < n).map(Some).ok_or(n);
        let mut taken = Vec::new();
        let result = in_order(
            read,
            || |number| number * number,
            |square| {
                taken.push(square);
                take(square)
            },
        );
        (taken, result)
    }

    #[test]
    fn results_are_taken_in_the_order_of_reading_up_to_the_first_error() {
        let (taken, result) = squares(1000, |_| Ok(()));
        assert_eq!(taken, (0..1000).map(|number| number * number).collect::<Vec<_>>());
        assert_eq!(result, Err(1000));
    }

    #[test]
    fn an_error_of_the_taker_ends_the_reading() {
        let (taken, result) =
            squares(u64::MAX, |square| if square < 100 { Ok(()) } else { Err(0) });
        assert_eq!((taken.len(), result), (11, Err(0)));
    }

    #[test]
    fn nothing_read_is_nothing_taken() {
        let result = in_order(|| Ok::<_, ()>(None::<u8>), || |item| item, |_| Err(()));
        assert_eq!(result, Ok(()));
    }
}
