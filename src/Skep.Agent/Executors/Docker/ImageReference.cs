namespace Skep.Agent.Executors.Docker;

/// <summary>Names of images as the engine wants them.</summary>
internal static class ImageReference
{
    /// <summary>The reference with a tag: without one the engine would pull every tag there is.</summary>
    public static string Tagged(string image)
    {
        if (image.Contains('@', StringComparison.Ordinal))
        {
            return image;
        }

        var name = image[(image.LastIndexOf('/') + 1)..];
        return name.Contains(':', StringComparison.Ordinal) ? image : image + ":latest";
    }
}
