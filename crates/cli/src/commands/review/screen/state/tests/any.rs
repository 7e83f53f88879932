//! Whatever is typed and answered.

use proptest::prelude::*;

use super::*;

/// Keys and answers in any order, also answers to what was not asked.
#[derive(Debug, Clone)]
enum Input {
    Key(KeyCode),
    Answer(Answer),
    Lost(u32),
    Hour,
}

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let key = prop_oneof![
        prop::sample::select("lsdekaurqx?ngtcpwmy1230 ".chars().collect::<Vec<_>>())
            .prop_map(KeyCode::Char),
        prop::sample::select(vec![
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::PageDown,
            KeyCode::End,
        ]),
    ];
    let answers = vec![
        claimed(Some(detail("T1"))),
        claimed(Some(TaskDetail::default())),
        claimed(None),
        Answer::Released,
        Answer::Listed(ListTasksResponse::default()),
        Answer::Listed(ListTasksResponse {
            tasks: vec![samples::task("T2")],
            next_page_token: "2".to_owned(),
            total: 200,
        }),
        Answer::LastDecision(Some(Box::new(decision("D-1", Verdict::Link)))),
        Answer::Decided(DecideTaskResponse::default()),
        refused(ErrorReason::TaskChanged),
        refused(ErrorReason::TaskUnknown),
    ];
    let input = prop_oneof![
        4 => key.prop_map(Input::Key),
        3 => prop::sample::select(answers).prop_map(Input::Answer),
        1 => (1_u32..9).prop_map(Input::Lost),
        1 => Just(Input::Hour),
    ];
    prop::collection::vec(input, 0..60)
}

proptest! {
    #[test]
    fn no_input_breaks_the_screen_and_no_commitment_is_sent_twice(inputs in inputs()) {
        let mut state = samples::state(false);
        let mut ids = std::collections::BTreeSet::new();
        let mut effects = state.start(Vec::new());
        for input in inputs {
            effects.extend(match input {
                Input::Key(key) => state.on_key(KeyEvent::from(key)),
                Input::Answer(answer) => state.on_answer(answer),
                Input::Lost(n) => {
                    state.on_lost(n);
                    Vec::new()
                }
                Input::Hour => {
                    state.now += SignedDuration::from_hours(1);
                    state.on_tick()
                }
            });
            prop_assert!(state.unanswered() <= 1);
        }
        crate::commands::review::screen::draw::tests::drawn(&state, 80, 24);
        for effect in effects {
            if let Effect::Call(Call::Commit(pending)) = effect {
                prop_assert!(ids.insert(pending.id));
            }
        }
    }
}
