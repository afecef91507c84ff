using System.CommandLine;
using System.CommandLine.Parsing;
using Vibe.Server.Hosting;

namespace Vibe.Server.Commands;

/// <summary>The TLS port on the command line; the files may come from the environment as well.</summary>
internal sealed class TlsOption
{
    private readonly Option<int> _port = ServeCommand.Port("--tls-port", "A port for HTTP/1.1 and HTTP/2 over TLS, beside the plaintext one.");
    private readonly Option<FileInfo?> _certificate = PemFile(
        "--tls-certificate", TlsOptions.CertificateVariable, "The certificate and its chain in PEM form, read again when the file changes.");
    private readonly Option<FileInfo?> _key = PemFile("--tls-key", TlsOptions.KeyVariable, "The certificate's private key in PEM form, without a passphrase.");

    /// <summary>Adds the options and the rules between them.</summary>
    public void AddTo(Command command)
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
            else if ((result.GetValue(_certificate) ?? FromEnvironment(TlsOptions.CertificateVariable)) is null || (result.GetValue(_key) ?? FromEnvironment(TlsOptions.KeyVariable)) is null)
            {
                result.AddError($"--tls-port needs --tls-certificate and --tls-key, or {TlsOptions.CertificateVariable} and {TlsOptions.KeyVariable}.");
            }
        });
    }

    /// <summary>What was asked for; null for no TLS.</summary>
    public TlsOptions? Read(ParseResult parsed) => parsed.GetResult(_port) is null or { Implicit: true } ? null : new TlsOptions
    {
        Port = parsed.GetValue(_port),
        CertificateFile = (parsed.GetValue(_certificate) ?? FromEnvironment(TlsOptions.CertificateVariable))!.FullName,
        KeyFile = (parsed.GetValue(_key) ?? FromEnvironment(TlsOptions.KeyVariable))!.FullName,
    };

    private static bool IsGiven(CommandResult result, Option option) => result.GetResult(option) is { Implicit: false };

    private static Option<FileInfo?> PemFile(string name, string variable, string description) => new(name)
    {
        Description = $"{description} [env: {variable}]",
        HelpName = "FILE",
    };

    private static FileInfo? FromEnvironment(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } file ? new FileInfo(file) : null;
}
