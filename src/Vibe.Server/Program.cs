using System.CommandLine;
using Vibe.Server.Commands;

var vibe = new RootCommand("Vibe, a backend platform: documents with access rules, one contract, every client.")
{
    ServeCommand.Create(),
    MigrateCommand.Create(),
    TokenCommand.Create(),
    AppCommand.Create(),
    ImportCommand.Create(),
    ExportCommand.Create(),
    AccountCommand.Create(),
    MailCommand.Create(),
    DoctorCommand.Create(),
    HealthCommand.Create(),
};

return await CommandLine.RunAsync(vibe, args);
