using Grpc.Core;
using Vibe.Server.Kernel;
using Vibe.Server.Pipeline;

namespace Vibe.Server.Tests.Documents;

/// <summary>A call as the pipeline hands it to a handler.</summary>
internal sealed class FakeCall : ServerCallContext
{
    private readonly CancellationToken _cancellation;

    public FakeCall(Caller caller, CancellationToken cancellation = default)
    {
        _cancellation = cancellation;
        this.SetCaller(caller);
    }

    protected override string MethodCore => "/test/Test";

    protected override string HostCore => "localhost";

    /// <summary>Where the call comes from.</summary>
    public string From { get; init; } = "ipv4:127.0.0.1:1";

    protected override string PeerCore => From;

    protected override DateTime DeadlineCore => DateTime.MaxValue;

    protected override Metadata RequestHeadersCore { get; } = [];

    protected override CancellationToken CancellationTokenCore => _cancellation;

    protected override Metadata ResponseTrailersCore { get; } = [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => throw new NotSupportedException();

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => throw new NotSupportedException();

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
}
