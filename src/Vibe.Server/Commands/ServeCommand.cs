using System.CommandLine;
using Vibe.Server.Hosting;

namespace Vibe.Server.Commands;

/// <summary><c>vibe serve</c>.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var port = Port("--port", "The plaintext port, on the loopback addresses unless --address says otherwise.");
        port.DefaultValueFactory = _ => 5080;
        var address = new Option<string?>("--address") { Description = "The address to listen on, for example 0.0.0.0 behind a TLS proxy.", HelpName = "IP" };
        var tls = new TlsOption();
        var data = DataOption.Create();
        var demo = new Option<bool>("--demo") { Description = "Fill in a demo user, app and documents, and print how to use them." };
        var cities = new Option<FileInfo?>("--demo-cities") { Description = "A JSON array that becomes the demo's public collection `cities`.", HelpName = "FILE" };

        var command = new Command("serve", "Serve the platform until Ctrl-C or SIGTERM, then drain and stop.") { port, address, data, demo, cities };
        tls.AddTo(command);
        command.SetAction((parsed, cancellationToken) => VibeServer.RunAsync(
            new ServeOptions
            {
                Port = parsed.GetValue(port),
                Address = parsed.GetValue(address),
                Tls = tls.Read(parsed),
                DataDirectory = parsed.GetValue(data)!.FullName,
                Demo = parsed.GetValue(demo),
                DemoCities = parsed.GetValue(cities)?.FullName,
            },
            cancellationToken));
        return command;
    }
    /// <summary>An option that takes the number of a port.</summary>
    public static Option<int> Port(string name, string description)
    {
        var port = new Option<int>(name) { Description = description, HelpName = "N" };
        port.Validators.Add(result =>
        {
            if (!result.Implicit && result.GetValueOrDefault<int>() is < 1 or > 65535)
            {
                result.AddError($"{name} must be a number from 1 to 65535.");
            }
        });
        return port;
    }
}
