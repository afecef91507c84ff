namespace Vibe.Rpc.Tests.Json;

/// <summary>Changes a few bytes, with a liking for those that mean something in JSON.</summary>
internal static class Mutation
{
    public static byte[] Of(byte[] input, Random random)
    {
        var bytes = input.ToList();
        for (var changes = random.Next(1, 4); changes > 0 && bytes.Count > 0; changes--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveAt(at);
                    break;
                case 2:
                    var syntax = "{}[]\",:\\u0123eE+-.tfn \u0001"u8;
                    bytes.Insert(at, syntax[random.Next(syntax.Length)]);
                    break;
                default:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(5, bytes.Count - at)));
                    break;
            }
        }

        return [.. bytes];
    }
}
