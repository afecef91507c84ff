using System.CommandLine;
using Vibe.Server.Hosting;

namespace Vibe.Server.Commands;

/// <summary><c>vibe doctor</c>.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var data = DataOption.Create();
        var command = new Command("doctor", "Examine the installation, say what is wrong and what to do; changes nothing. Ends with 1 when there is a problem.") { data };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var storage = await Storage.OpenAsync(parsed.GetValue(data)!.FullName, StorageUse.Command, cancellationToken);
            var problems = 0;
            foreach (var check in await DoctorChecks.RunAsync(storage, cancellationToken))
            {
                if (check.Problems.Count == 0)
                {
                    Line("ok", check.Name, check.Fact);
                }

                foreach (var problem in check.Problems)
                {
                    problems++;
                    Line("PROBLEM", check.Name, problem);
                }
            }

            Console.WriteLine(problems == 0 ? "All is well." : $"{problems} problem{(problems == 1 ? "" : "s")} found.");
            return problems == 0 ? 0 : 1;
        });
        return command;
    }

    private static void Line(string verdict, string name, string text) => Console.WriteLine($"{verdict,-7} {name,-13} {text}");
}
