using Grpc.Core;

namespace Vibe.Rpc.Client;

/// <summary>What a channel knows of a method after its first call.</summary>
internal sealed class MethodRoute
{
    public MethodRoute(Uri address, IMethod method, RetrySchedule? retry)
    {
        // A path in the address is a prefix: some proxies serve gRPC below one.
        var prefix = address.AbsolutePath.TrimEnd('/');
        Url = new Uri(address, prefix + method.FullName);
        ServiceUrl = new Uri(address, prefix + "/" + method.ServiceName).ToString();
        MethodName = method.Name;
        QualifiedName = method.FullName[1..];
        ServerAddress = address.Host;
        ServerPort = address.Port;
        Retry = retry;
    }

    public Uri Url { get; }

    /// <summary>What call credentials are told: the service without the method.</summary>
    public string ServiceUrl { get; }

    public string MethodName { get; }

    /// <summary><c>service/method</c>, the name of spans and metrics.</summary>
    public string QualifiedName { get; }

    public string ServerAddress { get; }

    public int ServerPort { get; }

    public RetrySchedule? Retry { get; }
}
