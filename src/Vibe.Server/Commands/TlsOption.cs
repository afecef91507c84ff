using System.CommandLine;
using System.CommandLine.Parsing;
using Vibe.Server.Hosting;

namespace Vibe.Server.Commands;

/// <summary>The TLS port on the command line; the files may come from the environment as well.</summary>
internal sealed class TlsOption
{
    private readonly Option<int> _port = ServeCommand.Port("--tls-port", "A port for HTTP/1.1 and HTTP/2 over TLS, beside the plaintext one.");
    private readonly Option<FileInfo?> _certificate = PemFile(
        "--tls-certificate", "VIBE_TLS_CERTIFICATE", "The certificate and its chain in PEM form, read again when the file changes.");
    private readonly Option<FileInfo?> _key = PemFile("--tls-key", "VIBE_TLS_KEY", "The certificate's private key in PEM form, without a passphrase.");

    /// <summary>Adds the options and the rules between them.</summary>
    public void AddTo(Command command, Option<int> plaintext)
    {
        command.Options.Add(_port);
        command.Options.Add(_certificate);
        command.Options.Add(_key);
        command.Validators.Add(result =>
        {
            if (!IsGiven(result, _port))
            {
                if (IsGiven(result, _certificate) || IsGiven(result, _key))
                {
                    result.AddError("--tls-certificate and --tls-key need --tls-port.");
                }
            }
            else if (result.GetValue(_certificate) is null || result.GetValue(_key) is null)
            {
                result.AddError("--tls-port needs --tls-certificate and --tls-key, or VIBE_TLS_CERTIFICATE and VIBE_TLS_KEY.");
            }
            else if (result.GetValue(_port) == result.GetValue(plaintext))
            {
                result.AddError("--tls-port must be another port than --port.");
            }
        });
    }

    /// <summary>What was asked for; null for no TLS.</summary>
    public TlsOptions? Read(ParseResult parsed) => parsed.GetResult(_port) is null or { Implicit: true } ? null : new TlsOptions
    {
        Port = parsed.GetValue(_port),
        CertificateFile = parsed.GetValue(_certificate)!.FullName,
        KeyFile = parsed.GetValue(_key)!.FullName,
    };

    private static bool IsGiven(CommandResult result, Option option) => result.GetResult(option) is { Implicit: false };

    private static Option<FileInfo?> PemFile(string name, string variable, string description) => new(name)
    {
        Description = $"{description} [env: {variable}]",
        HelpName = "FILE",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } file ? new FileInfo(file) : null,
    };
}
