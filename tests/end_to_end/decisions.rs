//! A steward's decision outranks every model and every start of the service.

use support::{OPERATOR, Service};

use crate::{
    made_up,
    steward::{HEADER, ONE, OTHER, are_together, decide, submit, task, tasks},
};

#[test]
fn decisions_survive_another_model_and_another_start() {
    let mut service = Service::start("fixed_date = \"2026-09-30\"");
    service.add_steward("pat");
    submit(&service, "one", ONE);
    submit(&service, "other", OTHER);
    decide(&service, "one/L", "other/L", "link");
    decide(&service, "one/P", "other/P", "separate");
    // Enough people to train on.
    for agency in made_up::write_identities(&service, &made_up::state(300)) {
        service.add_agency(agency);
        service.accepts(agency, &format!("{agency}.csv"), "");
    }
    service.settle();
    service.ask(OPERATOR, "train --activate");
    let check = |service: &Service| {
        let partition = service.partition();
        assert!(are_together(&partition, "one/L", "other/L"));
        assert!(!are_together(&partition, "one/P", "other/P"));
        // The undecided pair shows that the trained model would ask about all three.
        assert!(!are_together(&partition, "one/T", "other/T"));
        task(service, "one/T", "other/T");
        assert!(tasks(service).iter().all(|(_, left, _)| left != "one/P" && left != "one/L"));
        partition
    };
    let trained = check(&service);
    service.kill();
    service.launch();
    assert_eq!(check(&service), trained);
    let pair = service.ask("pat", "explain one/P other/P").row("pairs");
    assert!(pair["decision"].as_str().unwrap().contains("by pat: card-seen"), "{pair}");
}

#[test]
fn a_decision_that_contradicts_an_earlier_one_is_refused() {
    let settings = "fixed_date = \"2026-09-30\"\n[limits]\nsnapshot_withdrawal_share = 1.0";
    let service = Service::start(settings);
    service.add_steward("pat");
    // The middle record shares something with each of the others.
    submit(
        &service,
        "a",
        "1,Luis,Okonkwo,1991-02-09,534-21-8890,77 Harbor Rd,98404,,luis@mail.test\n",
    );
    submit(
        &service,
        "b",
        "1,Luis,Okonkwo,1991-02-09,671-03-4488,77 Harbor Rd,98404,2065550143,luis@mail.test\n\
         2,Priya,Ramanathan,1979-11-30,617-55-2043,9 Juniper Ct,98501,,\n",
    );
    submit(&service, "c", "1,Luis,Okonkwo,1991-02-09,520-77-1163,77 Harbor Rd,98404,2065550143,\n");
    decide(&service, "a/1", "b/1", "link");
    decide(&service, "b/1", "c/1", "link");
    assert!(are_together(&service.partition(), "a/1", "c/1"));

    // Without the record that joins them the other two are two people again, and in question.
    service.write(
        "b.csv",
        format!("{HEADER}2,Priya,Ramanathan,1979-11-30,617-55-2043,9 Juniper Ct,98501,,\n"),
    );
    service.accepts("b", "b.csv", "--mode snapshot");
    let id = task(&service, "a/1", "c/1");
    let before = (service.partition(), service.info("last fact"));
    service
        .waymark("pat", &format!("review decide {id} separate --reason other-person"))
        .is_refused(65, "DECISION_CONFLICT")
        .tells(&["a/1 - b/1 - c/1"]);
    assert_eq!((service.partition(), service.info("last fact")), before);
    assert_eq!(task(&service, "a/1", "c/1"), id);
    decide(&service, "a/1", "c/1", "link");
    assert!(are_together(&service.partition(), "a/1", "c/1"));
}

#[test]
fn a_task_that_is_put_off_comes_back_on_its_day() {
    let mut service = Service::start("fixed_date = \"2026-09-30\"");
    service.add_steward("pat");
    submit(&service, "one", ONE);
    submit(&service, "other", OTHER);
    let id = task(&service, "one/L", "other/L");
    let defer = format!("review decide {id} defer --reason ask-the-agency --until");
    service.waymark("pat", &format!("{defer} 2026-09-30")).is_refused(65, "REQUEST_INVALID");
    service.ask("pat", &format!("{defer} 2026-10-02"));
    assert_eq!(tasks(&service).len(), 2);
    assert_eq!(service.ask("pat", "review list --state deferred").rows("tasks").len(), 1);
    service.stop();
    service.launch_with("fixed_date = \"2026-10-02\"");
    assert_eq!(tasks(&service).len(), 3);
}
