//! `waymark admin certs dev`: an authority and certificates for tests, made without a server.

use std::{fs, io, path::PathBuf};

use clap::{Args, Subcommand};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use record::AgencyId;

use crate::{
    catalogue::Code,
    exit::Exit,
    failure::Failure,
    output::{Document, Section, text},
    secret,
};

/// For how many days the certificates are good.
const DAYS: i64 = 90;

/// The names by which every machine calls itself.
const OWN_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

#[derive(Debug, Subcommand)]
pub enum CertsCommand {
    /// Make an authority, and certificates for the server and its callers: for tests only
    Dev(Dev),
}

/// Makes an authority of its own with certificates for the server, agencies and people, valid for
/// 90 days. For tests and trials: the authority's key lies beside the certificates.
///
/// A service for real people gets its certificates from the state's authority.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:
  waymark admin certs dev --out certs --name waymark.example.org --agency college --person kim

makes certs/ca.pem, server.pem, agency-college.pem, person-kim.pem, each with its .key.")]
pub struct Dev {
    /// Directory to write into; made where there is none. No file of it is overwritten
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Another name or address of the server, besides localhost, 127.0.0.1 and ::1
    #[arg(long = "name", value_name = "HOST")]
    names: Vec<String>,
    /// An agency to make a client certificate for
    #[arg(long = "agency", value_name = "AGENCY")]
    agencies: Vec<AgencyId>,
    /// A person to make a client certificate for: a name of letters, digits, '-' and '_'
    #[arg(long = "person", value_name = "NAME", value_parser = file_name)]
    people: Vec<String>,
}

/// A certificate with its key, both in PEM.
struct Made {
    name: String,
    certificate: String,
    key: String,
}

impl Dev {
    /// Makes them.
    ///
    /// # Errors
    /// [`Failure`] when a name is none, or a file exists or cannot be written.
    pub fn run(&self) -> Result<Document, Failure> {
        let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
        let last = today.checked_add(DAYS.days()).unwrap_or(today);
        let made = self.make(today, last).map_err(|error| {
            Failure::plain(Exit::Usage, format!("a certificate cannot be made: {error}"))
                .remedy("give host names and addresses as --name")
        })?;
        fs::create_dir_all(&self.out).map_err(|error| Failure::writing(&self.out, &error))?;
        self.refuse_to_overwrite(&made)?;
        let mut files = Section::new("certificates", &["certificate", "key", "last_day"]);
        for Made { name, certificate, key } in made {
            let path = |extension: &str| self.out.join(format!("{name}.{extension}"));
            secret::write_new(&path("key"), &key)?;
            let written = fs::write(path("pem"), certificate);
            written.map_err(|error| Failure::writing(&path("pem"), &error))?;
            let shown = |extension| text(path(extension).display());
            files.row(vec![shown("pem"), shown("key"), text(last)]);
        }
        eprintln!(
            "these certificates are for tests: whoever reads {} can be anybody to a service that \
             trusts them",
            self.out.join("ca.key").display()
        );
        Ok(Document::new("waymark.admin.certs/1").section(files))
    }

    fn make(&self, today: Date, last: Date) -> Result<Vec<Made>, rcgen::Error> {
        let yesterday = today.yesterday().unwrap_or(today);
        let params = |name: &str, names: Vec<String>| -> Result<CertificateParams, rcgen::Error> {
            let mut params = CertificateParams::new(names)?;
            params.distinguished_name.push(DnType::CommonName, name);
            // A clock that is behind takes them, too.
            let [begin, end] = [yesterday, last.tomorrow().unwrap_or(last)].map(year_month_day);
            params.not_before = date_time_ymd(begin.0, begin.1, begin.2);
            params.not_after = date_time_ymd(end.0, end.1, end.2);
            Ok(params)
        };
        let key = KeyPair::generate()?;
        let mut authority = params("Waymark test authority", Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = authority.self_signed(&key)?.pem();
        let mut made = vec![Made { name: "ca".to_owned(), certificate, key: key.serialize_pem() }];
        let issuer = Issuer::new(authority, key);
        let mut issue = |name: String, mut params: CertificateParams, purpose| {
            params.extended_key_usages = vec![purpose];
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            let key = KeyPair::generate()?;
            let certificate = params.signed_by(&key, &issuer)?.pem();
            made.push(Made { name, certificate, key: key.serialize_pem() });
            Ok::<(), rcgen::Error>(())
        };
        let names = OWN_NAMES.iter().map(|name| (*name).to_owned()).chain(self.names.clone());
        let server = params("waymarkd", names.collect())?;
        issue("server".to_owned(), server, ExtendedKeyUsagePurpose::ServerAuth)?;
        let agencies = self.agencies.iter().map(|agency| format!("agency-{agency}"));
        for name in agencies.chain(self.people.iter().map(|person| format!("person-{person}"))) {
            let client = params(&name, Vec::new())?;
            issue(name, client, ExtendedKeyUsagePurpose::ClientAuth)?;
        }
        Ok(made)
    }

    fn refuse_to_overwrite(&self, made: &[Made]) -> Result<(), Failure> {
        let files = made.iter().flat_map(|made| ["pem", "key"].map(|it| (made, it)));
        for (made, extension) in files {
            let path = self.out.join(format!("{}.{extension}", made.name));
            match fs::symlink_metadata(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Failure::writing(&path, &error)),
                Ok(_) => {
                    let what = format!("{}: exists already and is not overwritten", path.display());
                    return Err(Failure::new(Code::OutputExists, what)
                        .remedy("name another directory, with all agencies and people at once"));
                }
            }
        }
        Ok(())
    }
}

fn year_month_day(date: Date) -> (i32, u8, u8) {
    (date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
}

fn file_name(name: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match (1..=64).contains(&name.len()) && name.chars().all(fits) {
        true => Ok(name.to_owned()),
        false => Err("give 1 to 64 letters, digits, '-' or '_'".to_owned()),
    }
}
