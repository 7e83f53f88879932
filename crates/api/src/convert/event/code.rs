//! Codes of events: programs, occupations, kinds of credentials, steps and phases.

use pathways::{
    CodeSystem, CredentialKind, DevelopmentalStep, OccupationCode, OccupationSystem, ProgramCode,
    TestPhase,
};

use crate::{convert::Violation, event};

pub(super) fn program_from_proto(
    program: event::ProgramCode,
    field: &'static str,
) -> Result<ProgramCode, Violation> {
    let unknown = || Violation::new("system", "give a known code system");
    let system = system_from_proto(program.system, "system")
        .and_then(|system| system.ok_or_else(unknown))
        .map_err(|violation| violation.within(field))?;
    Ok(ProgramCode { system, code: program.code })
}

pub(super) fn program_to_proto(program: ProgramCode) -> event::ProgramCode {
    event::ProgramCode { system: system_to_proto(program.system).into(), code: program.code }
}

/// The code system, if one is named.
pub(super) fn system_from_proto(
    system: i32,
    field: &'static str,
) -> Result<Option<CodeSystem>, Violation> {
    use event::CodeSystem as Proto;
    match Proto::try_from(system) {
        Ok(Proto::Unspecified) => Ok(None),
        Ok(Proto::Cip2010) => Ok(Some(CodeSystem::Cip2010)),
        Ok(Proto::Cip2020) => Ok(Some(CodeSystem::Cip2020)),
        Ok(Proto::Local) => Ok(Some(CodeSystem::Local)),
        Err(_) => Err(Violation::new(field, "give a known code system")),
    }
}

pub(super) fn system_to_proto(system: CodeSystem) -> event::CodeSystem {
    match system {
        CodeSystem::Cip2010 => event::CodeSystem::Cip2010,
        CodeSystem::Cip2020 => event::CodeSystem::Cip2020,
        CodeSystem::Local => event::CodeSystem::Local,
    }
}

pub(super) fn occupation_from_proto(
    occupation: event::OccupationCode,
) -> Result<OccupationCode, Violation> {
    use event::OccupationSystem as Proto;
    let system = match occupation.system() {
        Proto::Unspecified => {
            return Err(Violation::new("occupation.system", "give a known occupation system"));
        }
        Proto::Soc2010 => OccupationSystem::Soc2010,
        Proto::Soc2018 => OccupationSystem::Soc2018,
        Proto::Onet2019 => OccupationSystem::Onet2019,
    };
    Ok(OccupationCode { system, code: occupation.code })
}

pub(super) fn occupation_to_proto(occupation: OccupationCode) -> event::OccupationCode {
    let system = match occupation.system {
        OccupationSystem::Soc2010 => event::OccupationSystem::Soc2010,
        OccupationSystem::Soc2018 => event::OccupationSystem::Soc2018,
        OccupationSystem::Onet2019 => event::OccupationSystem::Onet2019,
    };
    event::OccupationCode { system: system.into(), code: occupation.code }
}

pub(super) fn step_from_proto(
    step: event::DevelopmentalStep,
) -> Result<DevelopmentalStep, Violation> {
    match step {
        event::DevelopmentalStep::Unspecified => {
            Err(Violation::new("step", "say whether it was a referral or a completion"))
        }
        event::DevelopmentalStep::Referred => Ok(DevelopmentalStep::Referred),
        event::DevelopmentalStep::Completed => Ok(DevelopmentalStep::Completed),
    }
}

pub(super) fn step_to_proto(step: DevelopmentalStep) -> event::DevelopmentalStep {
    match step {
        DevelopmentalStep::Referred => event::DevelopmentalStep::Referred,
        DevelopmentalStep::Completed => event::DevelopmentalStep::Completed,
    }
}

pub(super) fn phase_from_proto(phase: event::TestPhase) -> Result<TestPhase, Violation> {
    match phase {
        event::TestPhase::Unspecified => {
            Err(Violation::new("phase", "say whether it was a pre-test or a post-test"))
        }
        event::TestPhase::Pre => Ok(TestPhase::Pre),
        event::TestPhase::Post => Ok(TestPhase::Post),
    }
}

pub(super) fn phase_to_proto(phase: TestPhase) -> event::TestPhase {
    match phase {
        TestPhase::Pre => event::TestPhase::Pre,
        TestPhase::Post => event::TestPhase::Post,
    }
}

/// The level of the award, if one is named.
pub(super) fn award_level_from_proto(level: i32) -> Result<Option<CredentialKind>, Violation> {
    let unknown = || Violation::new("award_level", "give a known kind of credential");
    match event::CredentialKind::try_from(level).map_err(|_| unknown())? {
        event::CredentialKind::Unspecified => Ok(None),
        kind => credential_kind_from_proto(kind).map(Some),
    }
}

pub(super) fn credential_kind_from_proto(
    kind: event::CredentialKind,
) -> Result<CredentialKind, Violation> {
    use event::CredentialKind as Proto;
    Ok(match kind {
        Proto::Unspecified => {
            return Err(Violation::new("kind", "give a known kind of credential"));
        }
        Proto::HighSchoolDiploma => CredentialKind::HighSchoolDiploma,
        Proto::HighSchoolEquivalency => CredentialKind::HighSchoolEquivalency,
        Proto::TrainingCard => CredentialKind::TrainingCard,
        Proto::Certificate => CredentialKind::Certificate,
        Proto::Diploma => CredentialKind::Diploma,
        Proto::Certification => CredentialKind::Certification,
        Proto::License => CredentialKind::License,
        Proto::ApprenticeshipCertificate => CredentialKind::ApprenticeshipCertificate,
        Proto::AssociateDegree => CredentialKind::AssociateDegree,
        Proto::BachelorDegree => CredentialKind::BachelorDegree,
    })
}

pub(in crate::convert) fn credential_kind_to_proto(kind: CredentialKind) -> event::CredentialKind {
    use event::CredentialKind as Proto;
    match kind {
        CredentialKind::HighSchoolDiploma => Proto::HighSchoolDiploma,
        CredentialKind::HighSchoolEquivalency => Proto::HighSchoolEquivalency,
        CredentialKind::TrainingCard => Proto::TrainingCard,
        CredentialKind::Certificate => Proto::Certificate,
        CredentialKind::Diploma => Proto::Diploma,
        CredentialKind::Certification => Proto::Certification,
        CredentialKind::License => Proto::License,
        CredentialKind::ApprenticeshipCertificate => Proto::ApprenticeshipCertificate,
        CredentialKind::AssociateDegree => Proto::AssociateDegree,
        CredentialKind::BachelorDegree => Proto::BachelorDegree,
    }
}
