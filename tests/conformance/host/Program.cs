using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Vibe.Rpc.Hosting;
using Vibe.Rpc.Json;
using Vibe.Rpc.Listener;
using Vibe.Rpc.OpenApi;
using Vibe.Rpc.Validation;
using Vibe.RpcTest.V1;

var builder = WebApplication.CreateBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Error);
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.ConfigureRpcLimits();
    kestrel.ListenSharedLocalhost(0);
    kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(SelfSigned()));
});
builder.Services.AddSharedListener();
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton<RpcTestServiceImpl>();
builder.Services.AddSingleton(LoadSchema());
builder.Services.AddGrpcCors();
builder.Services.AddGrpcReflection();
builder.Services.AddGrpcHealthChecks();
builder.Services.AddGrpc(options => options.Interceptors.Add<ValidationInterceptor>());

await using var app = builder.Build();
app.UseCors(GrpcCorsExtensions.PolicyName);
app.MapGrpcService<RpcTestServiceImpl>();
app.MapGrpcReflectionService();
app.MapGrpcHealthChecksService();
app.MapHealthEndpoints();
app.MapOpenApi();
await app.StartAsync();

// One line of addresses: http://… https://…
Console.WriteLine(string.Join(' ', app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses));
await Console.In.ReadToEndAsync();
await app.StopAsync();

static ProtoSchema LoadSchema()
{
    using var stream = typeof(RpcTestServiceImpl).Assembly.GetManifestResourceStream("descriptors.binpb")!;
    return ProtoSchema.Load(stream);
}

static X509Certificate2 SelfSigned()
{
    using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
    var names = new SubjectAlternativeNameBuilder();
    names.AddDnsName("localhost");
    names.AddIpAddress(IPAddress.Loopback);
    request.CertificateExtensions.Add(names.Build());
    var now = TimeProvider.System.GetUtcNow();
    return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
}
